"""What was exported, taken back or written anew: just the entries that are still ours.

Nothing here stops at a file that is damaged or locked by now: the result says so, its record
stays, and the next time it is tried again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.integrations.targets import TARGETS
from conda_token_plugin.operations.export_record import Ledger
from conda_token_plugin.operations.export_tokens import Outcome, is_still

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.integrations.target import Grant, Target
    from conda_token_plugin.operations.export_record import Record
    from conda_token_plugin.settings import Environment
    from conda_token_plugin.tokens.token import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a recorded entry; ``reason`` only where it could not be taken back."""

    record: Record
    outcome: Outcome
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether it is still there, and still ours."""
        return self.outcome is Outcome.FAILED


def take_back(
    records: Iterable[Record], *, environment: Environment, dry_run: bool = False
) -> list[Result]:
    """Remove what ``records`` say was written, where it is still that. Never raises for a file."""
    ledger = Ledger(environment)
    results = []
    for record in records:
        result = _taken_back(record, ledger=ledger, dry_run=dry_run)
        if result.outcome is not Outcome.FAILED and not dry_run:
            ledger.forget(record)
        results.append(result)
    return results


def take_back_of(token: Token, *, environment: Environment) -> list[Result]:
    """Take back every export of ``token``.

    Raises:
        StoreError: the record of exports cannot be read or written.
    """
    if not Ledger(environment).records():  # the usual case costs no lock and no folder
        return []
    with Ledger(environment).held() as ledger:
        mine = [record for record in ledger.records() if record.token == token.key]
        return take_back(mine, environment=environment)


def renew(grant: Grant, *, environment: Environment) -> list[Result]:
    """Write a token that was reissued wherever the one before it was exported.

    Raises:
        StoreError: the record of exports cannot be read or written.
    """
    if not Ledger(environment).records():  # the usual case costs no lock and no folder
        return []
    with Ledger(environment).held() as ledger:
        mine = [record for record in ledger.records() if record.token == grant.token.key]
        return [_renewed(record, grant, ledger=ledger) for record in mine]


def _renewed(record: Record, grant: Grant, *, ledger: Ledger) -> Result:
    target = TARGETS[record.target]
    try:
        place = target.place_named(record.place)
        held = place.held(record.key)
        entry = next((one for one in target.entries(grant) if one.key == record.key), None)
        if held is None or entry is None:
            return Result(record=record, outcome=Outcome.GONE)
        if held != entry.value and not is_still(held, record, target=target):
            return Result(record=record, outcome=Outcome.CHANGED)
        place.put(entry)
    except TokenPluginError as error:  # damaged or locked by now: said, and left
        return Result(record=record, outcome=Outcome.FAILED, reason=str(error))
    ledger.add(replace(record, last_four=grant.secret.last_four))
    return Result(record=record, outcome=Outcome.WRITTEN)


def _taken_back(record: Record, *, ledger: Ledger, dry_run: bool) -> Result:
    target = TARGETS[record.target]
    place = target.place_named(record.place)
    try:
        held = place.held(record.key)
        outcome = _fate(record, held, ledger=ledger, target=target)
        if not dry_run:
            place.sweep(record.key)
        if outcome is Outcome.TAKEN_BACK and not dry_run:
            place.drop(record.key, made=record.made)
    except TokenPluginError as error:  # damaged or locked by now: said, and tried again next time
        return Result(record=record, outcome=Outcome.FAILED, reason=str(error))
    return Result(record=record, outcome=outcome)


def _fate(record: Record, held: str | None, *, ledger: Ledger, target: Target) -> Outcome:
    if held is None:
        return Outcome.GONE
    if not is_still(held, record, target=target):
        return Outcome.CHANGED
    others = [one for one in ledger.records() if one.spot == record.spot]
    return Outcome.TAKEN_BACK if len(others) <= 1 else Outcome.UNCHANGED

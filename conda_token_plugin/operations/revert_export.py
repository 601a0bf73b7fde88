"""What was exported, taken back or written anew: just the entries that are still ours.

Nothing here stops at a file that is damaged or locked by now: the result says so, its record
stays, and the next time it is tried again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.integrations.targets import TARGETS
from conda_token_plugin.operations.export_record import ExportRecord
from conda_token_plugin.operations.export_tokens import ExportOutcome, is_still

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.integrations.target import Grant, Target
    from conda_token_plugin.operations.export_record import Record
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.token import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What became of a recorded entry; ``reason`` only where it could not be taken back."""

    record: Record
    outcome: ExportOutcome
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Whether it is still there, and still ours."""
        return self.outcome is ExportOutcome.FAILED


def take_back(
    records: Iterable[Record], *, settings: Settings, dry_run: bool = False
) -> list[ExportResult]:
    """Remove what ``records`` say was written, where it is still that. Never raises for a file."""
    ledger = ExportRecord(settings)
    results = []
    for record in records:
        result = _taken_back(record, ledger=ledger, dry_run=dry_run)
        if result.outcome is not ExportOutcome.FAILED and not dry_run:
            ledger.forget(record)
        results.append(result)
    return results


def take_back_of(token: Token, *, settings: Settings) -> list[ExportResult]:
    """Take back every export of ``token``.

    Raises:
        StoreError: the record of exports cannot be read or written.
    """
    if not ExportRecord(settings).records():  # the usual case costs no lock and no folder
        return []
    with ExportRecord(settings).held() as ledger:
        mine = [record for record in ledger.records() if record.token == token.key]
        return take_back(mine, settings=settings)


def renew(grant: Grant, *, settings: Settings) -> list[ExportResult]:
    """Write a token that was reissued wherever the one before it was exported.

    Raises:
        StoreError: the record of exports cannot be read or written.
    """
    if not ExportRecord(settings).records():  # the usual case costs no lock and no folder
        return []
    with ExportRecord(settings).held() as ledger:
        mine = [record for record in ledger.records() if record.token == grant.token.key]
        return [_renewed(record, grant, ledger=ledger) for record in mine]


def _renewed(record: Record, grant: Grant, *, ledger: ExportRecord) -> ExportResult:
    target = TARGETS[record.target]
    try:
        place = target.place_named(record.place)
        held = place.held(record.key)
        entry = next((one for one in target.entries(grant) if one.key == record.key), None)
        if held is None or entry is None:
            return ExportResult(record=record, outcome=ExportOutcome.GONE)
        if held != entry.value and not is_still(held, record, target=target):
            return ExportResult(record=record, outcome=ExportOutcome.CHANGED)
        place.put(entry)
    except TokenPluginError as error:  # damaged or locked by now: said, and left
        return ExportResult(record=record, outcome=ExportOutcome.FAILED, reason=str(error))
    ledger.add(replace(record, last_four=grant.secret.last_four))
    return ExportResult(record=record, outcome=ExportOutcome.WRITTEN)


def _taken_back(record: Record, *, ledger: ExportRecord, dry_run: bool) -> ExportResult:
    target = TARGETS[record.target]
    place = target.place_named(record.place)
    try:
        held = place.held(record.key)
        outcome = _fate(record, held, ledger=ledger, target=target)
        if not dry_run:
            place.sweep(record.key)
        if outcome is ExportOutcome.TAKEN_BACK and not dry_run:
            place.drop(record.key, made=record.made)
    except TokenPluginError as error:  # damaged or locked by now: said, and tried again next time
        return ExportResult(record=record, outcome=ExportOutcome.FAILED, reason=str(error))
    return ExportResult(record=record, outcome=outcome)


def _fate(
    record: Record, held: str | None, *, ledger: ExportRecord, target: Target
) -> ExportOutcome:
    if held is None:
        return ExportOutcome.GONE
    if not is_still(held, record, target=target):
        return ExportOutcome.CHANGED
    others = [one for one in ledger.records() if one.spot == record.spot]
    return ExportOutcome.TAKEN_BACK if len(others) <= 1 else ExportOutcome.UNCHANGED

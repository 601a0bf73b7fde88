"""Bringing tokens to clients, and taking back exactly what was brought.

Everything is planned before anything is written: what cannot be read, holds a credential of
somebody else, or can hold only one of two tokens stops the export while nothing has changed.
An entry is recorded before it is written, so that a crash between the two leaves a record without
an entry, which is harmless, and never an entry that nobody knows of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.clients.ledger import Ledger, Record
from conda_token_plugin.clients.targets import TARGETS
from conda_token_plugin.errors import BadInput, ConfigurationError, TokenPluginError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conda_token_plugin.clients.model import Entry, Grant, Place, Target
    from conda_token_plugin.environment import Environment
    from conda_token_plugin.tokens import Token


class Outcome(Enum):
    """What became, or would become, of an entry."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    TAKEN_BACK = "taken back"
    GONE = "already gone"
    CHANGED = "changed by somebody else since, and left"
    FAILED = "could not be taken back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry of one token for one client."""

    target: Target
    place: Place
    entry: Entry
    grant: Grant
    outcome: Outcome
    ours: bool
    """Whether the entry is, or will be, one that we wrote."""

    def record(self) -> Record:
        """What is remembered of it."""
        token = self.grant.token
        return Record(
            target=self.target.name,
            place=self.place.name,
            key=self.entry.key,
            organization=token.organization,
            token=token.key,
            last_four=self.grant.secret.last_four,
            made=self.place.missing(self.entry.key),
        )


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


def plan(
    grants: Sequence[Grant], *, target: Target, place: Place, environment: Environment
) -> tuple[Step, ...]:
    """What an export of ``grants`` to ``place`` of ``target`` has to do. Changes nothing.

    Raises:
        BadInput: two of the tokens need the same place.
        ConfigurationError: the client's file is unusable, or holds another's credential there.
    """
    wanted = [(entry, grant) for grant in grants for entry in target.entries(grant)]
    _each_once(wanted, target=target)
    records = {record.spot: record for record in Ledger(environment).records()}
    return tuple(
        _step(entry, grant, target=target, place=place, known=records.get((place.name, entry.key)))
        for entry, grant in wanted
    )


def carry_out(steps: Iterable[Step], *, environment: Environment) -> None:
    """Write what was planned; the caller holds the ledger's lock since before the plan.

    Raises:
        ConfigurationError: a file cannot be written. What was written before is recorded.
    """
    ledger = Ledger(environment)
    for step in steps:
        if step.ours:
            ledger.add(_as_first_made(step.record(), ledger=ledger))
        if step.outcome is Outcome.WRITTEN:
            step.place.put(step.entry)


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


def _each_once(wanted: Iterable[tuple[Entry, Grant]], *, target: Target) -> None:
    owners: dict[str, str] = {}
    for entry, grant in wanted:
        owner = owners.setdefault(entry.key, grant.token.organization)
        if owner != grant.token.organization:
            raise BadInput(
                f"{target.name} can hold one credential for {entry.key}, and the tokens of "
                f"{owner} and {grant.token.organization} both need it. Nothing was changed.",
                hint=f"Choose one: conda token export {target.name} --org {owner}",
            )


def _step(
    entry: Entry, grant: Grant, *, target: Target, place: Place, known: Record | None
) -> Step:
    held = place.held(entry.key)
    ours = held is None or (known is not None and _is_still(held, known, target=target))
    same = held is not None and target.secret_in(held) == grant.secret
    if not ours and held != entry.value:
        raise _taken(place, entry, target=target, by="another credential")
    if ours and known and not same and known.token != grant.token.key and held is not None:
        raise _taken(place, entry, target=target, by=f"the token of {known.organization}")
    outcome = Outcome.UNCHANGED if held == entry.value else Outcome.WRITTEN
    return Step(target=target, place=place, entry=entry, grant=grant, outcome=outcome, ours=ours)


def _taken(place: Place, entry: Entry, *, target: Target, by: str) -> ConfigurationError:
    return ConfigurationError(
        Path(place.name),
        reason=f"already holds {by} for {entry.key}, and {target.name} can hold only one there; "
        "nothing was changed",
        hint=f"To make room: conda token export {target.name} --remove"
        if by.startswith("the token")
        else "Take that one out first.",
    )


def _as_first_made(record: Record, *, ledger: Ledger) -> Record:
    """``record``, remembering what an earlier export to the same place made."""
    made = (one.made for one in ledger.records() if one.place == record.place and one.made)
    return replace(record, made=next(made, record.made))


def _taken_back(record: Record, *, ledger: Ledger, dry_run: bool) -> Result:
    target = TARGETS[record.target]
    place = target.place_named(record.place)
    try:
        held = place.held(record.key)
        outcome = _fate(record, held, ledger=ledger, target=target)
        if outcome is Outcome.TAKEN_BACK and not dry_run:
            place.drop(record.key, made=record.made)
    except TokenPluginError as error:  # damaged or locked by now: said, and tried again next time
        return Result(record=record, outcome=Outcome.FAILED, reason=str(error))
    return Result(record=record, outcome=outcome)


def _fate(record: Record, held: str | None, *, ledger: Ledger, target: Target) -> Outcome:
    if held is None:
        return Outcome.GONE
    if not _is_still(held, record, target=target):
        return Outcome.CHANGED
    others = [one for one in ledger.records() if one.spot == record.spot]
    return Outcome.TAKEN_BACK if len(others) <= 1 else Outcome.UNCHANGED


def _is_still(held: str, record: Record, *, target: Target) -> bool:
    secret = target.secret_in(held)
    return secret is not None and secret.last_four == record.last_four

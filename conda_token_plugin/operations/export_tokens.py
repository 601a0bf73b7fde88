"""Bringing tokens to clients.

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

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.integrations.target import RENAME
from conda_token_plugin.operations.export_record import ExportRecord, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conda_token_plugin.integrations.target import Entry, Grant, Place, Target
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.token import Token


class ExportOutcome(Enum):
    """What became, or would become, of an entry."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    TAKEN_BACK = "taken back"
    GONE = "already gone"
    CHANGED = "changed by somebody else since, and left"
    FAILED = "could not be changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry of one token for one client."""

    target: Target
    place: Place
    entry: Entry
    grant: Grant
    outcome: ExportOutcome
    ours: bool
    """Whether the entry is, or will be, one that we wrote."""
    former: str = ""
    """The last four of what is there now."""

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
            former=self.former,
            made=self.place.missing(self.entry.key),
        )


def plan(
    grants: Sequence[Grant], *, target: Target, place: Place, settings: Settings
) -> tuple[Step, ...]:
    """What an export of ``grants`` to ``place`` of ``target`` has to do. Changes nothing.

    Raises:
        BadInput: two of the tokens need the same place.
        ConfigurationError: the client's file is unusable, or holds another's credential there.
    """
    wanted = [(entry, grant) for grant in grants for entry in target.entries(grant)]
    _each_once(wanted, target=target)
    records = {record.spot: record for record in ExportRecord(settings).records()}
    return tuple(
        _step(entry, grant, target=target, place=place, known=records.get((place.name, entry.key)))
        for entry, grant in wanted
    )


def carry_out(steps: Iterable[Step], *, settings: Settings) -> None:
    """Write what was planned; the caller holds the ledger's lock since before the plan.

    Raises:
        ConfigurationError: a file cannot be written. What was written before is recorded.
    """
    ledger = ExportRecord(settings)
    for step in steps:
        if step.ours:
            ledger.add(_continued(step.record(), ledger=ledger))
        if step.outcome is ExportOutcome.WRITTEN:
            step.place.put(step.entry)


def _each_once(wanted: Iterable[tuple[Entry, Grant]], *, target: Target) -> None:
    holders: dict[str, Token] = {}
    for entry, grant in wanted:
        first, second = holders.setdefault(entry.key, grant.token), grant.token
        if first.key != second.key:
            one = first.organization
            raise BadInput(
                f"{target.name} can hold one credential for {entry.key}, and the tokens of "
                f"{one} and {second.organization} both need it. Nothing was changed.",
                hint=f"Choose one: conda token export {target.name} --org {one}"
                if one != second.organization
                else RENAME,
            )


def _step(
    entry: Entry, grant: Grant, *, target: Target, place: Place, known: Record | None
) -> Step:
    """One step; refused where the place holds what is not ours to replace."""
    place.prepare(entry.key)
    held = place.held(entry.key)
    there = None if held is None else target.secret_in(held)
    ours = held is None or (known is not None and is_still(held, known, target=target))
    if not ours and held != entry.value:
        raise _taken(place, entry, target=target, by="another credential")
    if ours and known and there not in (None, grant.secret) and known.token != grant.token.key:
        raise _taken(place, entry, target=target, by=f"the token of {known.organization}")
    return Step(
        target=target,
        place=place,
        entry=entry,
        grant=grant,
        outcome=ExportOutcome.UNCHANGED if held == entry.value else ExportOutcome.WRITTEN,
        ours=ours,
        former=there.last_four if there else "",
    )


def _taken(place: Place, entry: Entry, *, target: Target, by: str) -> ConfigurationError:
    return ConfigurationError(
        Path(place.name),
        reason=f"already holds {by} for {entry.key}, and {target.name} can hold only one there; "
        "nothing was changed",
        hint=f"To make room: conda token export {target.name} --remove"
        if by.startswith("the token")
        else "Take that one out first.",
    )


def _continued(record: Record, *, ledger: ExportRecord) -> Record:
    """``record``, remembering what an earlier export to the same place made."""
    made = (one.made for one in ledger.records() if one.place == record.place and one.made)
    return replace(record, made=next(made, record.made))


def is_still(held: str, record: Record, *, target: Target) -> bool:
    """Whether the value ``held`` is the one that ``record`` says we wrote."""
    secret = target.secret_in(held)
    known = {record.last_four, record.former or record.last_four}
    return secret is not None and secret.last_four in known

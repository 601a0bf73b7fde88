"""Remove exported entries from other tools: exactly those that still hold what was written.

A file that is damaged or locked does not stop the others: its result says so, and its record
stays, so that the removal can be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.integrations.registry import TARGETS
from conda_token_plugin.operations.export_record import ExportOutcome, ExportRecord, ExportResult
from conda_token_plugin.operations.export_tokens import is_still

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.integrations.target import Target
    from conda_token_plugin.operations.export_record import Record
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.token import Token


def take_back(
    records: Iterable[Record], *, settings: Settings, dry_run: bool = False
) -> list[ExportResult]:
    """Remove the entries of ``records``. The caller holds the lock of the record.

    Raises:
        StoreError: The record of exports cannot be written.
    """
    exports = ExportRecord(settings)
    results = []
    for record in records:
        result = _taken_back(record, exports=exports, dry_run=dry_run)
        if not (result.failed or dry_run):
            exports.forget(record)
        results.append(result)
    return results


def take_back_of(token: Token, *, settings: Settings) -> list[ExportResult]:
    """Remove every exported entry of ``token``.

    Raises:
        StoreError: The record of exports cannot be read or written.
    """
    exports = ExportRecord(settings)
    if not exports.records():  # the usual case takes no lock
        return []
    with exports.held():
        mine = [record for record in exports.records() if record.token == token.key]
        return take_back(mine, settings=settings)


def _taken_back(record: Record, *, exports: ExportRecord, dry_run: bool) -> ExportResult:
    target = TARGETS[record.target]
    place = target.place_named(record.place)
    try:
        held = place.held(record.key)
        outcome = _outcome(record, held, exports=exports, target=target)
        if not dry_run:
            place.sweep(record.key)
        if outcome is ExportOutcome.TAKEN_BACK and not dry_run:
            place.drop(record.key, made=record.made)
    except TokenPluginError as error:  # the file is damaged or locked
        return ExportResult(record=record, outcome=ExportOutcome.FAILED, reason=str(error))
    return ExportResult(record=record, outcome=outcome)


def _outcome(
    record: Record, held: str | None, *, exports: ExportRecord, target: Target
) -> ExportOutcome:
    if held is None:
        return ExportOutcome.GONE
    if not is_still(held, record, target=target):
        return ExportOutcome.CHANGED
    others = [one for one in exports.records() if one.spot == record.spot]
    return ExportOutcome.TAKEN_BACK if len(others) <= 1 else ExportOutcome.UNCHANGED

"""Refresh and remove what was exported: exactly the entries that are still as they were written.

A file that is damaged or locked does not stop the others: its result says so, and its record
stays, so that the command can be repeated.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.integrations.registry import TARGETS
from conda_token_plugin.integrations.target import Grant
from conda_token_plugin.operations.export_record import ExportOutcome, ExportRecord, ExportResult
from conda_token_plugin.tokens.api_key import ALL_ORGANIZATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conda_token_plugin.integrations.target import Place, Target
    from conda_token_plugin.operations.export_record import Record
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

    Change = Callable[[Record, Target, Place], tuple[ExportOutcome, str]]
    """Changes one entry; returns what happened, and the reason if it could not be changed."""


NOTHING_TO_DO = (ExportOutcome.UNCHANGED, ExportOutcome.ABSENT)


def refresh_exports(token: Token, secret: Secret, *, settings: Settings) -> list[ExportResult]:
    """Write a new secret of ``token`` to every place that its previous secret was exported to.

    Returns:
        The results. A place that already contains the secret, or that has no entry any more, has
        no result. If a place could not be changed, its result has the reason, and the command
        that exports the token again.

    Raises:
        StoreError: The record of exports cannot be read.
    """
    exports = ExportRecord(settings)
    change = partial(_refresh, grant=Grant(token=token, secret=secret), exports=exports)
    with exports.held() if exports.of(token) else nullcontext():  # usually there is nothing to lock
        results = [_changed(one, change, retry=_retry(one)) for one in exports.of(token)]
    return [one for one in results if one.outcome not in NOTHING_TO_DO]


def refresh_copies(token: Token, *, store: Store, settings: Settings) -> list[ExportResult]:
    """Write the secret of a stored token to the exported copies that still contain a previous one.

    Without a record of an export the secret is not read.

    Returns:
        The results of the copies that were written, or that could not be.

    Raises:
        StoreError: The record of exports or the secret cannot be read.
    """
    if not ExportRecord(settings).of(token):
        return []
    results = refresh_exports(token, store.secret(token.key), settings=settings)
    return [one for one in results if one.outcome is not ExportOutcome.CHANGED]  # known before


def remove_copies(
    records: Iterable[Record], *, settings: Settings, dry_run: bool = False
) -> list[ExportResult]:
    """Remove the entries of ``records``. The caller holds the lock of the record.

    Raises:
        StoreError: The record of exports cannot be written.
    """
    exports = ExportRecord(settings)
    results = []
    for record in records:
        result = _changed(record, partial(_remove_copy, exports=exports, dry_run=dry_run))
        if not (result.failed or dry_run):
            exports.forget(record)
        results.append(result)
    return results


def remove_copies_of(
    token: Token, *, settings: Settings, secret: Secret | None = None
) -> list[ExportResult]:
    """Remove every exported entry of ``token``; with ``secret`` only the entries of this secret.

    Raises:
        StoreError: The record of exports cannot be read or written.
    """
    exports = ExportRecord(settings)
    with exports.held() if exports.of(token) else nullcontext():  # usually there is nothing to lock
        found = [one for one in exports.of(token) if secret is None or one.is_of(secret)]
        return remove_copies(found, settings=settings)


def _changed(record: Record, change: Change, *, retry: str = "") -> ExportResult:
    target = TARGETS.get(record.target)
    if target is None:  # a record that another version of this plugin wrote
        outcome, reason = ExportOutcome.FAILED, f"This version cannot export to {record.target}."
    else:
        try:
            outcome, reason = change(record, target, target.place_named(record.place))
        except TokenPluginError as error:  # the file is damaged or locked
            outcome, reason = ExportOutcome.FAILED, f"{error.what} {retry or error.hint}"
    return ExportResult(record=record, outcome=outcome, reason=reason)


def _retry(record: Record) -> str:
    is_key = record.organization == ALL_ORGANIZATIONS
    option = "--api-key" if is_key else f"--org {record.organization}"
    return f"Correct that, then run: conda token export {record.target} {option}"


def _refresh(
    record: Record, target: Target, place: Place, *, grant: Grant, exports: ExportRecord
) -> tuple[ExportOutcome, str]:
    held = place.held(record.key)
    entry = next((one for one in target.entries(grant) if one.key == record.key), None)
    if held is None:
        return ExportOutcome.ABSENT, ""
    is_new = entry is not None and held == entry.value
    if is_new and record.mark == grant.secret.mark:
        return ExportOutcome.UNCHANGED, ""
    if not (is_new or record.is_of(target.secret_in(held))):
        return ExportOutcome.CHANGED, ""
    if entry is None:
        return ExportOutcome.FAILED, (
            f"The new token is not for {record.key}. To remove the old one, run: "
            f"conda token export {record.target} --remove"
        )
    # Recorded before it is written; `former` recognizes the entry if the write fails.
    exports.add(replace(record, mark=grant.secret.mark, former_mark=record.mark))
    place.put(entry.key, entry.value)
    return ExportOutcome.WRITTEN, ""


def _remove_copy(
    record: Record, target: Target, place: Place, *, exports: ExportRecord, dry_run: bool
) -> tuple[ExportOutcome, str]:
    held = place.held(record.key)
    others = [one for one in exports.records() if one.location == record.location]
    if held is None:
        outcome = ExportOutcome.ABSENT
    elif not record.is_of(target.secret_in(held)):
        outcome = ExportOutcome.CHANGED
    else:
        outcome = ExportOutcome.UNCHANGED if len(others) > 1 else ExportOutcome.REMOVED
    if not dry_run:
        place.sweep(record.key)
        if outcome is ExportOutcome.REMOVED:
            place.drop(record.key, created=record.created)
    return outcome, ""

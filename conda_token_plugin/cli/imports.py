"""How imports are told to the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.operations.import_tokens import ImportVerdict
from conda_token_plugin.tokens.display import channels, last_four

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.cleaning import Cleaned
    from conda_token_plugin.operations.import_tokens import Candidate
    from conda_token_plugin.store import Store


def show(call: CommandContext, found: Sequence[Candidate]) -> None:
    """A row a token; and why some could not be tried."""
    rows = [
        {
            "organization": one.token.organization,
            "token": last_four(one.token),
            "channels": channels(one.token.scope),
            "sources": ", ".join(one.offer.sources),
            "where": "; ".join(one.offer.where),
            "state": one.verdict.value,
        }
        for one in found
    ]
    if not call.printer.json:
        call.printer.table(rows, value=None)
    for one in found:
        if one.verdict is ImportVerdict.UNKNOWN:
            call.printer.say(f"{last_four(one.token)}: {one.error} (--no-validate imports it)")


def consequences(one: Candidate, *, store: Store) -> Iterator[str]:
    """What the user should know before the yes."""
    held = store.token(one.token.key)
    if held is not None:
        yield f"This replaces the stored token {last_four(held)} of {held.organization}."
    for other in store.tokens():
        common = set(other.scope).intersection(one.token.scope)
        if common and other.key != one.token.key:
            yield (
                f"{channels(sorted(common))} will get {last_four(one.token)}, and no longer "
                f"the token of {other.organization}."
            )
    if one.wide:
        yield (
            f"Nothing says whose token {last_four(one.token)} is, so it would go to every "
            "organization's channels there: name the owner with --org."
        )


def answer(
    call: CommandContext,
    found: Sequence[Candidate],
    *,
    imported: Sequence[Candidate],
    cleaned: Sequence[Cleaned],
) -> None:
    """The document of ``--json``."""
    if call.printer.json:
        call.printer.data(
            {
                "found": [_entry(one) for one in found],
                "imported": [one.token.key for one in imported],
                "cleaned": [{"path": str(one.path), "backup": str(one.backup)} for one in cleaned],
                "dry_run": call.args.dry_run,
            }
        )


def _entry(one: Candidate) -> dict[str, Any]:
    return {
        **one.token.as_json(),
        "sources": list(one.offer.sources),
        "where": list(one.offer.where),
        "verdict": one.verdict.value,
        "reason": str(one.error) if one.error else "",
    }

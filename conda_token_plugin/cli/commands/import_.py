"""Find the tokens of other tools, verify them, and store them.

Examples:
  conda token import
  conda token import anaconda-auth --dry-run
  conda token import ~/project/environment.yml --org acme --clean

Sources: anaconda-auth, anaconda-client (also the files of conda-token and of conda
itself), conda-auth, condarc (every condarc, and environment.yml in this folder), netrc
(only hosts that serve channels), mamba, rattler; or the path of a file with channel URLs.

A token that the server rejects is not imported. The files of other tools are changed only
with --clean, and the file of anaconda-auth never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli import issue_flow
from conda_token_plugin.cli.options import add_store, organization
from conda_token_plugin.integrations.conda.condarcs import channels_without_token
from conda_token_plugin.integrations.registry import SOURCES, source
from conda_token_plugin.integrations.source import collected
from conda_token_plugin.operations.exported_copies import refresh_exports
from conda_token_plugin.operations.import_tokens import (
    ImportVerdict,
    candidate,
    clean,
    consequences,
    refused,
    verified,
    without_overlap,
)
from conda_token_plugin.operations.store_token import store_token
from conda_token_plugin.tokens.display import STORED_IN, channels, last_four, named

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.import_tokens import Candidate, Cleaned
    from conda_token_plugin.store import Store

COLUMNS = ("organization", "token", "channels", "sources", "where", "state")
CONDARC = "condarc"
"""The source that has the configured channels."""
NOT_SENT = "no token is sent there"
"""The state of a channel that is a folder, a bucket or a registry."""


def configure(parser: ArgumentParser) -> None:
    """Add the sources and the options."""
    names = ", ".join(SOURCES)
    parser.add_argument(
        "sources", nargs="*", metavar="SOURCE", help=f"{names}; or a path (default: all of them)"
    )
    parser.add_argument(
        *("-o", "--org"),
        type=organization,
        help="import only the tokens of ORG; tokens of an unknown owner are assigned to ORG",
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would be imported")
    parser.add_argument(
        "--clean",
        action="store_true",
        help="then remove stored and rejected tokens from the files of other tools, after a backup",
    )
    parser.add_argument("--no-validate", action="store_true", help="import without verifying")
    add_store(parser)


def run(call: CommandContext) -> int:
    """Show every token that was found, import those that work, report those that do not."""
    store = call.store()
    found = _found(call, store=store)
    _show(call, found)
    chosen = without_overlap((one for one in found if _wanted(call, one)), notice=call.printer.say)
    cleaned: list[Cleaned] = []
    if not chosen and not (found and call.args.dry_run):
        call.printer.say("There is nothing to import.")
    if not call.args.dry_run:
        _import(call, chosen, store=store)
        cleaned = _clean(call, found, stored=chosen)
    call.printer.data(
        {
            "found": [_entry(one) for one in found],
            "imported": [] if call.args.dry_run else [one.token.key for one in chosen],
            "cleaned": [{"path": str(one.path), "backup": str(one.backup)} for one in cleaned],
            "dry_run": call.args.dry_run,
            "channels_without_token": list(_without_token(call)),
        }
    )
    error = refused(found)
    if error is not None and not call.args.dry_run:
        if not call.printer.json:
            raise error
        return error.exit_code
    return 0


def _found(call: CommandContext, *, store: Store) -> list[Candidate]:
    """Return every token in the sources, verified."""
    named = [source(name) for name in dict.fromkeys(call.args.sources)]
    faults: list[str] = []
    offers = collected(
        named or SOURCES.values(),
        settings=call.settings,
        fault=faults.append,
        strict=bool(named),
    )
    for fault in dict.fromkeys(faults):
        call.printer.say(f"Not searched: {fault}")
    owner = call.args.org or ""
    found = [
        candidate(one, owner=owner, store=store, settings=call.settings)
        for one in offers
        if not owner or one.token.organization in {owner, ""}
    ]
    return [_verified(call, one) for one in found]


def _verified(call: CommandContext, one: Candidate) -> Candidate:
    if one.verdict is not ImportVerdict.UNVERIFIED or call.args.no_validate:
        return one
    return verified(one, settings=call.settings, clock=call.clock)


def _wanted(call: CommandContext, one: Candidate) -> bool:
    return one.verdict is ImportVerdict.WORKS or (
        one.verdict is ImportVerdict.UNVERIFIED and bool(call.args.no_validate)
    )


def _show(call: CommandContext, found: Sequence[Candidate]) -> None:
    """Print one row per token, and why some are not imported."""
    if not call.printer.json:
        call.printer.table(_rows(call, found), value=None)
    for one in found:
        if one.verdict is ImportVerdict.UNKNOWN:
            call.printer.say(
                f"{last_four(one.token)}: {one.error} To import it unverified: --no-validate."
            )


def _rows(call: CommandContext, found: Sequence[Candidate]) -> list[dict[str, str]]:
    rows = [
        (
            one.token.organization,
            last_four(one.token),
            channels(one.token.scope),
            ", ".join(one.offer.sources),
            "; ".join(one.offer.where),
            one.verdict.value,
        )
        for one in found
    ]
    rows += [("", "none", url, CONDARC, "", NOT_SENT) for url in _without_token(call)]
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def _without_token(call: CommandContext) -> tuple[str, ...]:
    """Return the configured channels that no token is sent to, if condarc files are searched."""
    is_searched = not call.args.sources or CONDARC in call.args.sources
    return channels_without_token(call.settings) if is_searched else ()


def _import(call: CommandContext, chosen: Sequence[Candidate], *, store: Store) -> None:
    """Ask once, then store the tokens one by one, and refresh their exports."""
    if not chosen:
        return
    for line in dict.fromkeys(line for one in chosen for line in consequences(one, store=store)):
        call.printer.say(line)
    call.prompts.confirm(f"Import {len(chosen)} token{'s' if len(chosen) > 1 else ''}?")
    store.check_writable()
    for one in chosen:
        vault = store_token(
            one.token, secret=one.offer.secret, store=store, at=call.settings.condarc
        )
        call.printer.say(f"Imported {named(one.token)}; it is stored {STORED_IN[vault]}.")
        call.report_copies(refresh_exports(one.token, one.offer.secret, settings=call.settings))
    issue_flow.report_without_channels(call)


def _clean(
    call: CommandContext, found: Sequence[Candidate], *, stored: Sequence[Candidate]
) -> list[Cleaned]:
    """Ask, then remove tokens that are stored or rejected from the files of other tools."""
    if not call.args.clean:
        return []
    kept = [*stored, *(one for one in found if one.verdict is ImportVerdict.STORED)]
    rejected = [one for one in found if one.verdict is ImportVerdict.REFUSED]
    cleaned = [
        *_cleaned(call, kept, question="Remove the tokens that are stored now from {}?"),
        *_cleaned(call, rejected, question="Remove the rejected tokens from {}?"),
    ]
    for one in cleaned:
        call.printer.say(
            f"Removed the token from {one.path}. Backup: {one.backup} "
            "(delete it when everything works)."
        )
    return cleaned


def _cleaned(call: CommandContext, some: Sequence[Candidate], *, question: str) -> list[Cleaned]:
    plains = [plain for one in some for plain in one.offer.plain]
    if not plains:
        return []
    paths = ", ".join(dict.fromkeys(str(plain.path) for plain in plains))
    call.prompts.confirm(question.format(paths))
    return clean(plains, settings=call.settings, now=call.now)


def _entry(one: Candidate) -> dict[str, Any]:
    return {
        **one.token.as_json(),
        "sources": list(one.offer.sources),
        "where": list(one.offer.where),
        "verdict": one.verdict.value,
        "reason": str(one.error) if one.error else "",
    }

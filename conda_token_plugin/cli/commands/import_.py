"""Take tokens that other tools hold into the store: find, show, try, import.

Examples:
  conda token import
  conda token import anaconda-auth --dry-run
  conda token import ~/project/environment.yml --org acme --clean

Sources: anaconda-auth, anaconda-client (also conda-token's and conda's own files),
conda-auth, condarc (every condarc, and environment.yml here), netrc (hosts of
channels only), mamba, rattler; or the path of a file with channel URLs. A token that
no longer works is not imported. Without --clean nothing of theirs is changed;
anaconda-auth's file never is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli import imports
from conda_token_plugin.cli.options import organization
from conda_token_plugin.integrations.registry import SOURCES, source
from conda_token_plugin.operations.import_tokens import ImportVerdict, candidate, collected, tried
from conda_token_plugin.tokens.display import last_four

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.cleaning import Cleaned
    from conda_token_plugin.operations.import_tokens import Candidate
    from conda_token_plugin.store import Store


def configure(parser: ArgumentParser) -> None:
    """Say where from, and what else."""
    names = ", ".join(SOURCES)
    parser.add_argument(
        "sources", nargs="*", metavar="SOURCE", help=f"{names}; or a path (default: all of them)"
    )
    parser.add_argument(
        *("-o", "--org"),
        type=organization,
        help="only this one's; a token without an owner is its",
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what is there")
    parser.add_argument(
        "--clean", action="store_true", help="remove the plain copies afterwards, with a backup"
    )
    parser.add_argument("--no-validate", action="store_true", help="import without trying")
    parser.add_argument("--store", choices=("auto", "keyring", "file"), help="where to keep it")


def run(call: CommandContext) -> int:
    """Show everything, import what works, then say what does not."""
    store = call.store()
    found = _found(call, store=store)
    imports.show(call, found)
    good = [one for one in found if _wanted(call, one)]
    refused = [one for one in found if one.verdict is ImportVerdict.REFUSED]
    cleaned: list[Cleaned] = []
    if not good and not (found and call.args.dry_run):
        call.printer.say("There is nothing to import.")
    if not call.args.dry_run:
        _import(call, good, store=store)
        cleaned = _clean(
            call, [*good, *(one for one in found if one.verdict is ImportVerdict.STORED)]
        )
    imports.answer(call, found, imported=[] if call.args.dry_run else good, cleaned=cleaned)
    if refused and refused[0].error and not call.args.dry_run:
        if not call.printer.json:
            raise refused[0].error
        return refused[0].error.exit_code
    return 0


def _found(call: CommandContext, *, store: Store) -> list[Candidate]:
    """Every token that is there for the asking, tried."""
    named = [source(name) for name in dict.fromkeys(call.args.sources)]
    faults: list[str] = []
    offers = collected(
        named or SOURCES.values(),
        settings=call.settings,
        fault=faults.append,
        strict=bool(named),
    )
    for fault in dict.fromkeys(faults):
        call.printer.say(f"Not looked at: {fault}")
    owner = call.args.org or ""
    found = [
        candidate(one, owner=owner, store=store, settings=call.settings)
        for one in offers
        if not owner or one.organization in {owner, ""}
    ]
    return [_tried(call, one) for one in found]


def _tried(call: CommandContext, one: Candidate) -> Candidate:
    if one.verdict is ImportVerdict.STORED or call.args.no_validate:
        return one
    return tried(one, settings=call.settings, now=call.now)


def _wanted(call: CommandContext, one: Candidate) -> bool:
    return one.verdict is ImportVerdict.WORKS or (
        one.verdict is ImportVerdict.UNTRIED and bool(call.args.no_validate)
    )


def _import(call: CommandContext, good: Sequence[Candidate], *, store: Store) -> None:
    """Ask once, then store one after another.

    Raises:
        NotConfirmed, NeedsAnswer, Interrupted: not agreed; nothing was changed.
    """
    from conda_token_plugin.operations.issue_token import keep

    if not good:
        return
    for line in dict.fromkeys(
        line for one in good for line in imports.consequences(one, store=store)
    ):
        call.printer.say(line)
    call.prompts.confirm(f"Import {len(good)} token{'s' if len(good) > 1 else ''}?")
    store.prove_writable()
    for one in good:
        vault = keep(one.token, secret=one.offer.secret, store=store, at=call.settings.condarc)
        call.printer.say(
            f"Imported the token {last_four(one.token)} of {one.token.organization}, "
            f"kept in the {vault}."
        )


def _clean(call: CommandContext, kept: Sequence[Candidate]) -> list[Cleaned]:
    """Take the plain copies of what is in the store out of their files, after a yes."""
    from conda_token_plugin.operations.cleaning import clean

    plains = [plain for one in kept for plain in one.offer.plain]
    if not (call.args.clean and plains):
        return []
    paths = ", ".join(dict.fromkeys(str(plain.path) for plain in plains))
    call.prompts.confirm(f"Remove the plain copies from {paths}?")
    cleaned = clean(plains, settings=call.settings, now=call.now)
    for one in cleaned:
        call.printer.say(
            f"Took the token out of {one.path}. As it was: {one.backup} "
            "(delete it when all is well)."
        )
    return cleaned

"""Delete stored tokens, and undo what was configured for them.

Examples:
  conda token remove acme
  conda token remove --all

Copies that `conda token export` wrote for other tools are also removed. The token is not
revoked, and still works on other machines. A token that a variable supplies is not
stored, so it cannot be removed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli.options import (
    add_ignored_options,
    add_organizations,
    named_organizations,
    several,
)
from conda_token_plugin.errors.input import Supplied
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.operations.remove_tokens import remove_tokens
from conda_token_plugin.settings import token_variable
from conda_token_plugin.store import MACHINE
from conda_token_plugin.store.sources import supplied
from conda_token_plugin.tokens.display import channels, described, named

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator, Sequence

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.remove_tokens import Removal
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token


def configure(parser: ArgumentParser) -> None:
    """Add the organizations."""
    add_organizations(parser, default="the only one with a token")
    parser.add_argument("-a", "--all", action="store_true", help="delete every stored token")
    parser.add_argument(
        "-s", "--system", action="store_true", help="from the store of this machine"
    )
    add_ignored_options(parser)


def run(call: CommandContext) -> int:
    """Remove the tokens that are named, and report what was removed with them."""
    store = call.store()
    chosen = _chosen(call, store=store)
    removal = remove_tokens(chosen, store=store, settings=call.settings, condarc=call.condarc)
    _report(call, chosen, removal=removal)
    return 0


def _chosen(call: CommandContext, *, store: Store) -> tuple[Token, ...]:
    """Return the stored tokens that the arguments name."""
    names = named_organizations(call.args)
    held = store.tokens()
    if not names and not call.args.all and len(held) <= 1:
        for token in held:
            _agree(call, token)
        return held
    known = {token.organization for token in held}
    if not names and not call.args.all:
        hint = "Name one: conda token remove ORG. Or remove all: conda token remove --all"
        raise several(known, hint=hint)
    for name in names:
        if name not in known:
            raise _unknown(call, name, known=known)
    return tuple(token for token in held if call.args.all or token.organization in names)


def _agree(call: CommandContext, token: Token) -> None:
    """Ask at a terminal before the only token is removed without being named."""
    if call.prompts.interactive:
        call.prompts.confirm(f"Remove {named(token)}?")


def _unknown(call: CommandContext, name: str, *, known: set[str]) -> Exception:
    found = supplied(call.settings, organization=name)
    if found is not None:
        return Supplied(name, source=found.source)
    machine = () if call.system else call.stores()[MACHINE].tokens()
    if any(token.organization == name for token in machine):
        return NoToken(
            f"The token of {name!r} is in the store of this machine, not in yours.",
            hint=f"An administrator can remove it: conda token remove --system {name}",
        )
    return NoToken.for_organization(name, known=known, hint="See: conda token list")


def _report(call: CommandContext, removed: Sequence[Token], *, removal: Removal) -> None:
    call.printer.data(_document(removed, removal=removal))
    for token in removed:
        scope = f" for {channels(token.scope)}" if token.scope else ""
        call.printer.say(f"Removed the {described(token)} of {token.organization}{scope}.")
    successor = removal.successor
    if successor:
        call.printer.say(f"{channels(removal.shared)} are now requested with {named(successor)}.")
    call.report_copies(removal.exports)
    lines = (line for token in removed for line in _still_supplied(call, token.organization))
    for line in dict.fromkeys(lines):
        call.printer.say(line)
    if not removed:
        call.printer.say("No token is stored.")


def _document(removed: Sequence[Token], *, removal: Removal) -> dict[str, Any]:
    successor = removal.successor
    return {
        "removed": [token.as_json() for token in removed],
        "exports": [one.as_json() for one in removal.exports],
        "shared_channels": successor
        and {"organization": successor.organization, "channels": list(removal.shared)},
    }


def _still_supplied(call: CommandContext, organization: str) -> Iterator[str]:
    """Name the variables that still supply a token for the organization."""
    for name in call.settings.repository_tokens():
        if name in {token_variable(organization), token_variable("")}:
            yield f"{name} still supplies a token for {organization}."

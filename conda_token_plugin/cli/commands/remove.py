"""Delete stored tokens, and undo what was configured for them.

Examples:
  conda token remove acme
  conda token remove --all

Copies that `conda token export` wrote for other tools are removed too. The token is not
revoked: on other machines it still works. A token that a variable supplies is not
stored, so it cannot be removed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli.options import add_organizations, named_organizations, several
from conda_token_plugin.errors.input import Supplied
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.integrations.conda.caches import forget
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.settings import token_variable
from conda_token_plugin.store import MACHINE
from conda_token_plugin.store.sources import supplied
from conda_token_plugin.tokens.display import channels, last_four
from conda_token_plugin.tokens.scope import organization_prefix, shared_prefixes

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator, Sequence

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.export_record import ExportResult
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token


def configure(parser: ArgumentParser) -> None:
    """Add the organizations."""
    add_organizations(parser, default="the only one with a token")
    parser.add_argument("-a", "--all", action="store_true", help="delete every stored token")
    parser.add_argument(
        "-s", "--system", action="store_true", help="from the store of this machine"
    )
    compatible = parser.add_argument_group("for compatibility with anaconda-auth")
    compatible.add_argument("-e", "--env", action="store_true", help="accepted, ignored")
    compatible.add_argument("-f", "--file", metavar="FILE", help="accepted, ignored")


def run(call: CommandContext) -> int:
    """Remove the tokens that are named, and rewrite the drop-in for the remaining ones."""
    store = call.store()
    chosen = _chosen(call, store=store)
    dropin.prove_writable(call.condarc)
    for token in chosen:
        store.remove(token.key)
    successor = _given_shared_channels(call, chosen, store=store)
    update_dropin(call.condarc, store=store)
    for token in chosen:
        forget(token.scope, settings=call.settings, channels=token.channels)
    _report(call, chosen, exports=_removed_copies(call, chosen), successor=successor)
    return 0


def _removed_copies(call: CommandContext, removed: Sequence[Token]) -> list[ExportResult]:
    """Remove the copies that were exported to other tools."""
    from conda_token_plugin.operations.exported_copies import take_back_of

    return [one for token in removed for one in take_back_of(token, settings=call.settings)]


def _given_shared_channels(
    call: CommandContext, removed: Sequence[Token], *, store: Store
) -> tuple[Token, tuple[str, ...]] | None:
    """Give shared channels that have no token any more to another token of the repository.

    Returns:
        The token and the channels, or `None` if no channel lost its token or no token can open it.
    """
    repository = call.settings.repo_url
    left = store.tokens()
    covered = {prefix for token in left for prefix in token.scope}
    lost = tuple(
        prefix
        for prefix in shared_prefixes(repository)
        if prefix not in covered and any(prefix in token.scope for token in removed)
    )
    able = (t for t in left if organization_prefix(repository, t.organization) in t.scope)
    successor = next(able, None) if lost else None
    if successor is None:
        return None
    store.update(successor._replace(scope=(*successor.scope, *lost)))
    return successor, lost


def _chosen(call: CommandContext, *, store: Store) -> tuple[Token, ...]:
    """Return the stored tokens that the arguments name.

    Raises:
        BadInput: Nothing is named and several are stored, or `--all` is used with names.
        NoToken: An organization has no token in this store.
        NotConfirmed: The only token was to be removed without being named, and the user refused.
    """
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
    """Ask at a terminal before the only token is removed without being named.

    Raises:
        NotConfirmed, Interrupted: The user refused; nothing was changed.
    """
    if call.prompts.interactive:
        call.prompts.confirm(f"Remove the token {last_four(token)} of {token.organization}?")


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
    error = NoToken.for_organization(name, known=known)
    if error.hint.startswith("Did you mean"):
        return error
    return NoToken(error.what, hint="See: conda token list")  # not the command to install one


def _report(
    call: CommandContext,
    removed: Sequence[Token],
    *,
    exports: list[ExportResult],
    successor: tuple[Token, tuple[str, ...]] | None,
) -> None:
    call.printer.data(
        {
            "removed": [token.as_json() for token in removed],
            "exports": [one.as_json() for one in exports],
            "shared_channels": {
                "organization": successor[0].organization,
                "channels": list(successor[1]),
            }
            if successor
            else None,
        }
    )
    for token in removed:
        call.printer.say(
            f"Removed the {token.kind.value} token {last_four(token)} of {token.organization} "
            f"for {channels(token.scope)}."
        )
    if successor:
        token, shared = successor
        call.printer.say(
            f"{channels(shared)} now get the token {last_four(token)} of {token.organization}."
        )
    for one in exports:
        (call.printer.warn if one.failed else call.printer.say)(one.line)
    lines = (line for token in removed for line in _still_supplied(call, token.organization))
    for line in dict.fromkeys(lines):
        call.printer.say(line)
    if not removed:
        call.printer.say("No token is stored.")


def _still_supplied(call: CommandContext, organization: str) -> Iterator[str]:
    """Name the variables that still supply a token for the organization."""
    for name in call.settings.repository_tokens():
        if name in {token_variable(organization), token_variable("")}:
            yield f"{name} still supplies a token for {organization}."

"""Forget stored tokens, and take back what was configured for them.

Examples:
  conda token remove acme
  conda token remove --all

Copies that `conda token export` handed to other tools are taken back, too. It does
not revoke the token: on other machines it goes on working. A token that a variable
supplies is not stored and cannot be removed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput, Supplied
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.integrations.conda.caches import forget
from conda_token_plugin.settings import token_variable
from conda_token_plugin.store.supplied import supplied
from conda_token_plugin.tokens.display import channels, last_four

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.export_record import ExportResult
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token


def configure(parser: ArgumentParser) -> None:
    """Take the organizations."""
    parser.add_argument("organizations", nargs="*", metavar="ORG", help="whose token to forget")
    parser.add_argument("-o", "--org", action="append", default=[], help="the same as an option")
    parser.add_argument("-a", "--all", action="store_true", help="forget every stored token")
    parser.add_argument(
        "-s", "--system", action="store_true", help="those of this machine, not yours"
    )
    parser.add_argument(
        "-e", "--env", action="store_true", help="as anaconda-auth has it: not needed"
    )
    parser.add_argument("-f", "--file", metavar="FILE", help="as anaconda-auth has it: not needed")


def run(call: CommandContext) -> int:
    """Remove what is named, unasked; the drop-in is brought in line with what is left."""
    store = call.store()
    doomed = _doomed(call, store=store)
    dropin.prove_writable(call.condarc)
    for token in doomed:
        store.remove(token.key)
    dropin.write(call.condarc, tokens=store.tokens())
    for token in doomed:
        forget(token.scope, settings=call.settings, channels=token.channels)
    _report(call, doomed, exports=_taken_back(call, doomed))
    return 0


def _taken_back(call: CommandContext, doomed: tuple[Token, ...]) -> list[ExportResult]:
    """What became of the copies that other tools were given; said after what was forgotten."""
    from conda_token_plugin.operations.revert_export import take_back_of

    return [one for token in doomed for one in take_back_of(token, settings=call.settings)]


def _doomed(call: CommandContext, *, store: Store) -> tuple[Token, ...]:
    """The stored tokens that the arguments name.

    Raises:
        BadInput: nothing was named, or everything and something.
        NoToken: one of them has none.
    """
    names = [*call.args.organizations, *call.args.org]
    held = store.tokens()
    if not names and not call.args.all and len(held) == 1:  # there is no other that could be meant
        return held
    if bool(names) == call.args.all:
        raise BadInput("Name the organizations, or say --all.", hint="See: conda token list")
    known = {token.organization for token in held}
    for name in names:
        if name not in known:
            raise _unknown(call, name, known=known)
    return tuple(token for token in held if call.args.all or token.organization in names)


def _unknown(call: CommandContext, name: str, *, known: set[str]) -> Exception:
    found = supplied(call.settings, organization=name)
    if found is None:
        return NoToken.for_organization(name, known=known)
    return Supplied(name, source=found.source)


def _report(
    call: CommandContext, doomed: tuple[Token, ...], *, exports: list[ExportResult]
) -> None:
    call.printer.data(
        {
            "removed": [token.as_json() for token in doomed],
            "exports": [one.as_json() for one in exports],
        }
    )
    for token in doomed:
        call.printer.say(
            f"Forgot the {token.kind.value} token {last_four(token)} of {token.organization} "
            f"for {channels(token.scope)}."
        )
    for one in exports:
        (call.printer.warn if one.failed else call.printer.say)(one.line)
    for line in dict.fromkeys(line for token in doomed for line in _left(call, token.organization)):
        call.printer.say(line)
    if not doomed:
        call.printer.say("No token is stored.")


def _left(call: CommandContext, organization: str) -> Iterator[str]:
    """What goes on being sent although the store has forgotten it."""
    for name in call.settings.repository_tokens():
        if name in {token_variable(organization), token_variable("")}:
            yield f"{name} goes on supplying a token for {organization}."

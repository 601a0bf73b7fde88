"""Have conda use the repository by default: main, r and msys2, and channels of your own.

Examples:
  conda token config --dry-run
  conda token config -c https://repo.anaconda.cloud/repo/acme/main
  conda token config --undo

What would be written is shown, and you are asked. It is one file that is the
plugin's own: ~/.condarc is not touched, and --undo takes everything back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli.options import add_channel_options, default_channels
from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.tokens.scope import (
    longest_prefix,
    normalised,
    shared_prefixes,
    without_secrets,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.tokens.token import Token


def configure(parser: ArgumentParser) -> None:
    """Say what conda is to use."""
    parser.add_argument("-o", "--org", metavar="ORG", help="for whose token; if there are several")
    parser.add_argument(
        *("-c", "--channel"),
        action="append",
        default=[],
        metavar="URL",
        help="use this channel of yours, too",
    )
    add_channel_options(parser)
    parser.add_argument("--undo", action="store_true", help="take back what this command set")
    parser.add_argument("--dry-run", action="store_true", help="show the file, and write nothing")
    parser.add_argument("--force", action="store_true", help="write it without asking")
    parser.add_argument("--system", action="store_true", help="for everybody on this machine")


def run(call: CommandContext) -> int:
    """Show the file, ask, write it."""
    store = call.store()
    held = store.tokens()
    changed = _undone(call, held) if call.args.undo else [_wished(call, held)]
    after = {token.key: token for token in (*held, *changed)}.values()
    signed_by = _signer(call)
    text = dropin.composed(after, signed_by=signed_by)
    if call.args.dry_run:
        call.printer.data({"path": str(call.condarc), "content": text}, text=text)
        return 0
    _agree(call, text)
    dropin.prove_writable(call.condarc)
    store.update(*changed)
    dropin.write(call.condarc, tokens=store.tokens(), signed_by=signed_by)
    call.printer.data({"path": str(call.condarc), "content": text})
    return 0


def _wished(call: CommandContext, held: tuple[Token, ...]) -> Token:
    """The token for which the channels are set, with them.

    Raises:
        NoToken, BadInput: there is none, or it is not clear which, or a channel is not its.
    """
    wanted = default_channels(call)
    token = _chosen(call, held)
    covered = [prefix for one in held for prefix in one.scope]
    missing = [url for url in wanted if longest_prefix(f"{url}/", among=covered) is None]
    channels = [normalised(without_secrets(url)) for url in call.args.channel]
    for url in channels:
        if longest_prefix(f"{url}/", among=[*covered, *missing]) is None:
            raise BadInput(f"No token covers {url}.", hint=f"See: conda token which {url}")
    return token._replace(
        scope=(*token.scope, *missing),
        channels=tuple(dict.fromkeys((*token.channels, *channels))),
        default_channels=wanted,
    )


def _undone(call: CommandContext, held: tuple[Token, ...]) -> list[Token]:
    mine = held if call.args.org is None else (_chosen(call, held),)
    return [token._replace(channels=(), default_channels=()) for token in mine]


def _chosen(call: CommandContext, held: tuple[Token, ...]) -> Token:
    """The token that is named, or that opens the shared channels, or the only one."""
    if call.args.org is not None:
        named = [token for token in held if token.organization == call.args.org]
        if not named:
            raise NoToken.for_organization(call.args.org, known=_names(held))
        return named[0]
    common = shared_prefixes(call.settings.repo_url)
    opening = [token for token in held if longest_prefix(f"{common[0]}/", among=token.scope)]
    for candidates in (opening, held):
        if len(candidates) == 1:
            return candidates[0]
    if not held:
        raise NoToken(
            "No token is stored, so conda would be refused.", hint="Run: conda token install"
        )
    raise BadInput(f"For whose token: {', '.join(_names(held))}?", hint="Say it with --org.")


def _names(held: Iterable[Token]) -> list[str]:
    return sorted({token.organization for token in held})


def _signer(call: CommandContext) -> str:
    if call.args.undo:
        return ""
    if call.args.enable_signature_verification:
        return call.settings.repo_url.rstrip("/")
    return dropin.signer(call.condarc)


def _agree(call: CommandContext, text: str) -> None:
    """Show the file, and have the user agree to it.

    Raises:
        NotConfirmed, NeedsAnswer, Interrupted: not agreed; nothing was changed.
    """
    call.printer.say(f"{call.condarc} {'will be:' if text else 'will be gone.'}")
    for line in text.splitlines():
        call.printer.say(f"  {line}")
    if not call.args.force:
        call.prompts.confirm("Write it?" if text else "Delete it?")

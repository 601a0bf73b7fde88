"""The part of `install` for a token that was handed out: a site token, or one of another server.

It needs neither a login nor a seat. The token never comes from the command line, where other
users and the shell's history see it; as an argument it is taken with a warning.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from conda_token_plugin.cli.options import moment
from conda_token_plugin.cli.output import entry
from conda_token_plugin.errors.input import BadInput, Supplied
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.issue_token import keep, provable, scope_of
from conda_token_plugin.settings import expanded
from conda_token_plugin.store.lookup import supplied
from conda_token_plugin.store.sharing import share
from conda_token_plugin.tokens.display import KEPT_IN, channels, expiry, last_four
from conda_token_plugin.tokens.scope import normalised, without_secrets
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.issue_token import CondaOptions
    from conda_token_plugin.tokens.secret import Secret

SOURCES = ("token", "token_stdin", "token_file", "token_env")


def configure(parser: ArgumentParser) -> None:
    """The options of a token that was handed out."""
    group = parser.add_argument_group("a token that you were given (needs no login and no seat)")
    group.add_argument("--site", action="store_true", help="set a site token; asked for, hidden")
    group.add_argument("token", nargs="?", metavar="TOKEN", help="unsafe here: others can see it")
    group.add_argument("--token-stdin", action="store_true", help="read it from standard input")
    group.add_argument("--token-file", metavar="FILE", help="read it from a file")
    group.add_argument("--token-env", metavar="NAME", help="read it from a variable")
    group.add_argument(
        *("-c", "--channel"),
        action="append",
        default=[],
        metavar="URL",
        help="where it may be sent, on any server; else the organization's channels",
    )
    ways = [way.value for way in AuthScheme]
    group.add_argument("--send-as", choices=ways, default="token", help="how it is sent")
    group.add_argument("--username", default="", help="with --send-as basic")
    group.add_argument("--expires", type=moment, metavar="DATE", help="when it dies, if you know")
    group.add_argument("--system", action="store_true", help="for everybody on this machine")
    group.add_argument("--group", metavar="NAME", help="with --system: who may read it")
    group.add_argument("--no-validate", action="store_true", help="store it without trying it")


def was_handed(args: Namespace) -> bool:
    """Whether the command line speaks of a token that there is already."""
    return bool(
        args.site or args.system or args.channel or any(getattr(args, name) for name in SOURCES)
    )


def run(call: CommandContext, *, wish: CondaOptions) -> int:
    """Take the token, try it, keep it, report.

    Raises:
        BadInput: the options do not fit together, or no token is in what was given.
        Supplied: the environment supplies another one for the organization.
        TokenRefused, ServiceError: it does not work; it was not stored.
    """
    store = call.store()
    plan = wish.applied(_planned(call, wish=wish), before=None)
    secret = _given(call)
    token = plan._replace(last_four=secret.last_four)
    if not (call.system or call.args.channel):
        _refuse_supplied(call, secret)
    store.prove_writable()
    dropin.prove_writable(call.condarc)
    if not call.args.no_validate:
        token = _proven(call, token, secret=secret)
    if call.args.group:
        share(store.folder, group=call.args.group)
    vault = keep(token, secret=secret, store=store, at=call.condarc)
    _report(call, token, source="machine" if call.system else vault)
    return 0


def _planned(call: CommandContext, *, wish: CondaOptions) -> Token:
    """The metadata of the token, but for what the token itself tells."""
    args = call.args
    if args.group and not args.system:
        raise BadInput("--group goes with --system.")
    if args.username and args.send_as != AuthScheme.BASIC.value:
        raise BadInput("--username goes with --send-as basic.")
    scope = tuple(normalised(without_secrets(url)) for url in args.channel)
    if not scope and not args.org:
        raise BadInput(
            "Whose token is it?", hint="Name the organization with --org, or channels with -c URL."
        )
    if not scope:
        settings, store = call.settings, call.store()
        scope = scope_of(args.org, store=store, settings=settings, shared=wish.shared)
    return Token(
        organization=args.org or scope[0].partition("://")[2].partition("/")[0],
        kind=TokenKind.SITE,
        scope=scope,
        way=AuthScheme(args.send_as),
        username=args.username,
        issued=None,
        expires=args.expires,
    )


def _given(call: CommandContext) -> Secret:
    """The token in what was typed, piped, or named."""
    from conda_token_plugin.tokens.paste import token_in

    args = call.args
    named = [name for name in SOURCES if getattr(args, name)]
    if len(named) > 1:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in named)
        raise BadInput(f"The token is given {len(named)} times ({flags}).", hint="Give it once.")
    if args.token:
        call.printer.warn(
            "A token on the command line is seen by other users and kept in the shell's history. "
            "Use --token-stdin, --token-file, or type it when you are asked."
        )
        return token_in(args.token)
    if args.token_stdin:
        return token_in(sys.stdin.read())
    if args.token_file:
        return token_in(_content(expanded(args.token_file)))
    if args.token_env:
        return token_in(_variable(call, args.token_env))
    return token_in(call.prompts.hidden("Token (not shown):", flag="--token-stdin"))


def _refuse_supplied(call: CommandContext, secret: Secret) -> None:
    """Another one would not be used; the same one may be stored, so that the variable can go."""
    given = supplied(call.settings, organization=call.args.org)
    if given is not None and given.secret() != secret:
        raise Supplied(call.args.org, source=given.source)


def _content(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError as error:  # absent, a folder, not permitted
        raise BadInput(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path."
        ) from None


def _variable(call: CommandContext, name: str) -> str:
    value = call.settings.variables.get(name)
    if not value:
        raise BadInput(f"The variable {name} is not set.", hint="Export it, or check its name.")
    return value


def _proven(call: CommandContext, token: Token, *, secret: Secret) -> Token:
    from conda_token_plugin.service.repository import prove

    where = provable(token, settings=call.settings)
    proof = prove(where, token=token, secret=secret, outcome="It was not stored.")
    call.printer.say(f"Proven:   {proof.what} of {proof.url}")
    return token._replace(proven=call.now)


def _report(call: CommandContext, token: Token, *, source: str) -> None:
    call.say_notices()
    for line in (
        f"Stored the token {last_four(token)} of {token.organization} {KEPT_IN[source]}.",
        f"Channels: {channels(token.scope)}",
        f"Expires:  {expiry(token, now=call.now)}"
        + ("" if token.expires else " (set it with --expires DATE)"),
    ):
        call.printer.say(line)
    if not token.proven:
        call.printer.say("It was stored without being tried.")
    call.printer.data(entry(token, source=source, now=call.now))

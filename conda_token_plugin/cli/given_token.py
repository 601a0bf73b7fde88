"""Store a token that the user was given, for `install` and `set`.

This needs neither a login nor a seat. The token is read from standard input, a file, a variable
or a hidden prompt. As an argument it is accepted with a warning, because other users and the
shell's history can see it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli.options import moment, organization
from conda_token_plugin.cli.output import entry
from conda_token_plugin.errors.input import BadInput, Supplied
from conda_token_plugin.operations.issue_token import scope_of
from conda_token_plugin.operations.store_given_token import store_given
from conda_token_plugin.settings import expanded
from conda_token_plugin.settings.secret_files import standard_input, text_in
from conda_token_plugin.store.supplied import supplied
from conda_token_plugin.tokens.display import KEPT_IN, channels, expiry, last_four
from conda_token_plugin.tokens.paste import token_in
from conda_token_plugin.tokens.patterns import PATH_TOKEN
from conda_token_plugin.tokens.scope import (
    normalised,
    organization_prefix,
    path_before_token,
    without_secrets,
)
from conda_token_plugin.tokens.secret import Password
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from pathlib import Path

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.issue_token import CondaOptions, StoredToken
    from conda_token_plugin.tokens.secret import Secret

SOURCES = ("token", "token_stdin", "token_file", "token_env")
ROOT = "root"
"""The group for which the store of the machine stays readable by root only."""
MAX_NAME = 40
"""A longer word is a token: today's tokens have 48 characters."""


def configure(parser: ArgumentParser) -> None:
    """Add the options of a token that was given."""
    group = parser.add_argument_group("a token that you were given (needs no login and no seat)")
    group.add_argument("--site", action="store_true", help="store a site token; hidden prompt")
    group.add_argument("token", nargs="?", metavar="TOKEN", help="unsafe: other users can see it")
    group.add_argument("--token-stdin", action="store_true", help="read it from standard input")
    group.add_argument("--token-file", metavar="FILE", help="read it from a file")
    group.add_argument("--token-env", metavar="NAME", help="read it from a variable")
    group.add_argument(
        *("-c", "--channel"),
        action="append",
        default=[],
        metavar="URL",
        help="where it may be sent, on any server (default: the organization's channels)",
    )
    schemes = [scheme.value for scheme in AuthScheme]
    group.add_argument(
        "--send-as",
        choices=schemes,
        help="how it is sent (default: path if a URL of -c contains /t/, else token)",
    )
    group.add_argument("--username", default="", help="with --send-as basic")
    group.add_argument("--expires", type=moment, metavar="DATE", help="when it expires, if known")
    group.add_argument("--system", action="store_true", help="store it for this machine")
    group.add_argument(
        "--group", metavar="NAME", help="with --system: the group that may read it, or root"
    )
    group.add_argument("--no-validate", action="store_true", help="store it without verification")


def separate_organization(call: CommandContext) -> None:
    """Move the argument TOKEN to ``--org`` if it is the name of an organization.

    `conda token install acme` names an organization. A token is longer than any name.

    Raises:
        BadInput: It names another organization than ``--org``.
    """
    args = call.args
    word = args.token
    if not word or len(word) > MAX_NAME or args.site or args.channel or args.system or args.org:
        return
    if not word.replace("-", "").replace("_", "").isalnum():
        return
    args.org, args.token = organization(word), None


def is_given(args: Namespace) -> bool:
    """Return whether the options name a token that exists already."""
    return bool(
        args.site or args.system or args.channel or any(getattr(args, name) for name in SOURCES)
    )


def run(call: CommandContext, *, wish: CondaOptions) -> int:
    """Read the token, verify it, store it, and report.

    Raises:
        BadInput: The options exclude each other, or what was given contains no token.
        Supplied: The environment supplies another token for the organization.
        TokenRefused, ServiceError: The token could not be verified, and was not stored.
    """
    group = _readers(call)
    planned = wish.applied(_planned(call, wish=wish), before=None)
    secret = _given(call)
    if not (call.system or call.args.channel):
        _refuse_supplied(call, secret)
    with call.printer.waiting("Verifying the token"):
        stored = store_given(
            planned._replace(last_four=secret.last_four),
            secret=secret,
            store=call.store(),
            settings=call.settings,
            condarc=call.condarc,
            now=call.now,
            validate=not call.args.no_validate,
            group=None if group == ROOT else group,
        )
    _report(call, stored, group=group)
    return 0


def report_checks(call: CommandContext, stored: StoredToken) -> None:
    """Report the verification, exported copies that are out of date, and a command to try."""
    token, found = stored.token, stored.verification
    if found is not None:
        call.printer.say(found.sentence)
    elif stored.fault is None:
        call.printer.say("Not verified: none of its channels is known. Run: conda token test URL")
    for line in stored.stale:
        call.printer.warn(
            f"This file still contains the token before: {line} Run: conda token export"
        )
    channel = found.url.rsplit("/", 2)[0] if found is not None and found.own else None
    if channel is not None:
        call.printer.say(f"Try: conda install -c {channel} PACKAGE")
    elif token.organization and stored.fault is None and call.settings.repo_url in token.scope[0]:
        home = organization_prefix(call.settings.repo_url, token.organization)
        call.printer.say(f"Try: conda install -c {home}/CHANNEL PACKAGE")


def _readers(call: CommandContext) -> str | None:
    """Return the group that may read the store of the machine; None without ``--system``.

    Raises:
        BadInput: No group was named, and there is no terminal to ask on.
    """
    args = call.args
    if args.group and not args.system:
        raise BadInput("--group is only valid with --system.", hint="Add --system.")
    if not args.system or args.group:
        return args.group or None
    if not call.prompts.interactive:
        raise BadInput(
            "--system needs a group: without one, only root can read the token.",
            hint="Name the users' group with --group NAME, or use --group root.",
        )
    groups = ("users", "staff", ROOT)
    chosen = call.prompts.choose(
        "Which group may read the token? (another one: --group NAME)",
        options=groups,
        flag="--group",
    )
    return groups[chosen]


def _planned(call: CommandContext, *, wish: CondaOptions) -> Token:
    """Return the metadata of the token that the options give.

    Raises:
        BadInput: The options exclude each other, or do not say where the token is sent.
    """
    args = call.args
    way = _scheme(args)
    if args.username and way is not AuthScheme.BASIC:
        raise BadInput("--username is only valid with --send-as basic.")
    places = {path_before_token(url) for url in args.channel}
    if len(places) > 1:
        raise BadInput(
            "The channels expect the token at different places of their paths.",
            hint="Store the token for each channel on its own, with --org NAME.",
        )
    scope = tuple(normalised(without_secrets(url)) for url in args.channel)
    if not scope and not args.org:
        args.org = _organization_from_service(call)
    if not scope:
        settings, store = call.settings, call.store()
        scope = scope_of(args.org, store=store, settings=settings, shared=wish.shared)
    return Token(
        organization=args.org or scope[0].partition("://")[2].partition("/")[0],
        kind=TokenKind.SITE,
        scope=scope,
        way=way,
        username=args.username,
        path_before="".join(places) if way is AuthScheme.PATH else "",
        issued=None,
        expires=args.expires,
    )


def _organization_from_service(call: CommandContext) -> str:
    """Return the user's only organization, as the service says.

    Raises:
        BadInput: The user is not logged in, or belongs to several organizations.
    """
    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.service.client import Service  # requests: only where it is needed
    from conda_token_plugin.service.credentials import find_api_key

    names: list[str] = []
    try:
        api_key, source = find_api_key(call.settings, call.store(), notice=call.printer.say)
        service = Service(call.settings.service_url, api_key=api_key, source=source)
        names = sorted(one.slug for one in service.organizations())
    except TokenPluginError:  # not logged in, or the service does not answer: --org is needed
        names = []
    if len(names) == 1:
        return names[0]
    known = f" You belong to: {', '.join(names)}." if names else ""
    raise BadInput(
        f"The organization of the token is not known.{known}",
        hint="Name the organization with --org, or the channels with -c URL.",
    )


def _scheme(args: Namespace) -> AuthScheme:
    """Return how the token is sent: as the option says, or as the URLs of the channels do."""
    if args.send_as:
        return AuthScheme(args.send_as)
    in_path = any(PATH_TOKEN.search(url) for url in args.channel)
    return AuthScheme.PATH if in_path else AuthScheme.TOKEN


def _given(call: CommandContext) -> Secret:
    """Return the secret from the argument, standard input, a file, a variable or a prompt.

    A password is taken verbatim, less one line break at its end. Any other text is searched for
    the token.
    """
    text = _text(call)
    if _scheme(call.args) is not AuthScheme.BASIC:
        return token_in(text)
    return Password(text[:-2] if text.endswith("\r\n") else text.removesuffix("\n"))


def _text(call: CommandContext) -> str:
    args = call.args
    named = [name for name in SOURCES if getattr(args, name)]
    if len(named) > 1:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in named)
        raise BadInput(f"The token is given {len(named)} times ({flags}).", hint="Give it once.")
    if args.token:
        call.printer.warn(
            "Other users can see a token on the command line, and the shell's history stores it. "
            "Use --token-stdin, --token-file, or type it at the prompt."
        )
        return str(args.token)
    if args.token_stdin:
        return standard_input()
    if args.token_file:
        return _content(expanded(args.token_file))
    if args.token_env:
        return _variable(call, args.token_env)
    word = "Password" if _scheme(args) is AuthScheme.BASIC else "Token"
    return call.prompts.hidden(f"{word} (not shown):", flag="--token-stdin")


def _refuse_supplied(call: CommandContext, secret: Secret) -> None:
    """Refuse a token that would not be used because the environment supplies another one.

    The same token may be stored, so that the variable can be removed.
    """
    found = supplied(call.settings, organization=call.args.org)
    if found is not None and found.secret() != secret:
        raise Supplied(call.args.org, source=found.source)


def _content(path: Path) -> str:
    try:
        return text_in(path)
    except (OSError, ValueError) as error:  # absent, a folder, not permitted; a null character
        reason = getattr(error, "strerror", None) or "it is not a path"
        raise BadInput(f"{path} cannot be read: {reason}.", hint="Check the path.") from None


def _variable(call: CommandContext, name: str) -> str:
    value = call.settings.variables.get(name)
    if not value:
        raise BadInput(f"The variable {name} is not set.", hint="Export it, or check its name.")
    return value


def _report(call: CommandContext, stored: StoredToken, *, group: str | None) -> None:
    token = stored.token
    source = "machine" if call.system else stored.vault
    call.say_notices()
    call.printer.say(
        f"Stored the token {last_four(token)} of {token.organization} {KEPT_IN[source]}."
    )
    if group is not None:
        readers = "root only" if group == ROOT else f"root and the group {group}"
        call.printer.say(f"Readers:  {readers}")
    call.printer.say(f"Channels: {channels(token.scope)}")
    unset = "" if token.expires else " (set it with --expires DATE)"
    call.printer.say(f"Expires:  {expiry(token, now=call.now)}{unset}")
    if call.args.no_validate:
        call.printer.say("Not verified, because of --no-validate.")
    else:
        report_checks(call, stored)
    call.printer.data(entry(token, source=source, now=call.now))

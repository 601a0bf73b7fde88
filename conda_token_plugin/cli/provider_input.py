"""The options of `provider add`, and the provider that they describe."""

from __future__ import annotations

import re
from argparse import REMAINDER, ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.cli.options import SCHEMES, program
from conda_token_plugin.errors import CREDENTIAL_FORMAT
from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.tokens.provider import (
    MAX_SECONDS,
    NAME,
    PRINTS_RESPONSE,
    PRINTS_TOKEN,
    SECONDS,
    Provider,
)
from conda_token_plugin.tokens.scope import normalised
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_options(parser: ArgumentParser) -> None:
    """Add the options that describe a provider, and its command."""
    parser.usage = "%(prog)s --scope URL [options] -- COMMAND [ARG ...]"
    parser.add_argument(
        "--scope", required=True, metavar="URL", help="where its credential is sent"
    )
    parser.add_argument(
        "--name", metavar="NAME", help="its name (default: the scope without https://)"
    )
    parser.add_argument(
        "--print",
        dest="prints",
        choices=(PRINTS_RESPONSE, PRINTS_TOKEN),
        default=PRINTS_RESPONSE,
        help="what it prints (default: a response of the protocol)",
    )
    parser.add_argument(
        "--send-as", choices=SCHEMES, help="how a secret of --print token is sent (default: token)"
    )
    parser.add_argument("--username", default="", help="the user name for --send-as basic")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=SECONDS,
        metavar="S",
        help="seconds that it may take (default: 10)",
    )
    parser.add_argument("command", nargs=REMAINDER, metavar="-- COMMAND", help="what to run")


def described(args: Namespace) -> Provider:
    """Return the provider that the options describe.

    Raises:
        BadInput: The scope, the name or the command cannot be used.
    """
    scope = normalised(args.scope)
    dropin.refuse_unreadable(scope)
    name = args.name or scope.partition("://")[2]
    if not NAME.fullmatch(name) or re.search(CREDENTIAL_FORMAT, name):
        raise BadInput(
            f"{name!r} is not a name for a provider.",
            hint="Use letters, digits and the characters . _ : / - for --name.",
        )
    if args.prints != PRINTS_TOKEN and (args.send_as or args.username):
        raise BadInput(
            "A response of the protocol contains the whole header.",
            hint="Use --send-as and --username with --print token only.",
        )
    if bool(args.username) != (args.send_as == AuthScheme.BASIC.value):
        raise BadInput("--send-as basic and --username go together.", hint="Give both, or none.")
    scheme = args.send_as or AuthScheme.TOKEN.value
    command = _command(args.command)
    return Provider(name, scope, command, args.prints, scheme, args.username, args.timeout)


def _command(words: list[str]) -> tuple[str, ...]:
    """Return the command with the absolute path of its program.

    An environment that is activated later cannot put another program in its place.
    """
    if any(re.search(CREDENTIAL_FORMAT, word) for word in words):
        raise BadInput(
            "An argument of the command looks like a token.",
            hint="Other users can see the arguments of a command. Have it read the secret.",
        )
    example = "conda token provider add --scope URL -- vault-helper"
    found, *arguments = program(words, path=None, example=example)
    return (str(Path(found).absolute()), *arguments)


def _seconds(text: str) -> float:
    """Return the time limit that `text` says."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MAX_SECONDS:  # also "nan"
        raise ArgumentTypeError(f"{text!r} is not a number of seconds up to {MAX_SECONDS:g}")
    return seconds

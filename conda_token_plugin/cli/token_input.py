"""Read a token that the user was given: from an option, standard input, a file or a prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.settings import expanded
from conda_token_plugin.settings.secret_files import standard_input, text_in
from conda_token_plugin.tokens.paste import token_in
from conda_token_plugin.tokens.secret import Password
from conda_token_plugin.tokens.token import AuthScheme
from conda_token_plugin.tokens.url_credentials import PATH_TOKEN

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.tokens.secret import Secret

SOURCES = ("token", "token_stdin", "token_file", "token_env")
"""The options that give a token, as attributes of the namespace."""


def read_token(call: CommandContext) -> Secret:
    """Return the secret from the argument, standard input, a file, a variable or a prompt.

    A password is taken verbatim, less one line break at its end. Any other text is searched for
    the token.

    Raises:
        BadInput: It is given twice, or cannot be read.
        MalformedToken: What was given contains no token.
        MalformedPassword: What was given is not a password.
        NeedsAnswer: It is not given, and there is no terminal to ask on.
    """
    text = _text(call)
    if scheme_of(call.args) is not AuthScheme.BASIC:
        return token_in(text)
    return Password(text[:-2] if text.endswith("\r\n") else text.removesuffix("\n"))


def scheme_of(args: Namespace) -> AuthScheme:
    """Return how the token is sent: as the option says, or as the URLs of the channels do."""
    if args.send_as:
        return AuthScheme(args.send_as)
    in_path = any(PATH_TOKEN.search(url) for url in args.channel)
    return AuthScheme.PATH if in_path else AuthScheme.TOKEN


def _text(call: CommandContext) -> str:
    args = call.args
    named = [name for name in SOURCES if getattr(args, name)]
    if len(named) > 1:
        flags = [f"--{name.replace('_', '-')}" for name in named if name != "token"]
        words = ", ".join([f"the argument {args.argument}"] * bool(args.token) + flags)
        raise BadInput(
            f"The token is given {len(named)} times ({words}).",
            hint="Give it once. To name an organization, use --org.",
        )
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
    word = "Password" if scheme_of(args) is AuthScheme.BASIC else "Token"
    return call.prompts.hidden(f"{word} (not shown):", flag="--token-stdin")


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

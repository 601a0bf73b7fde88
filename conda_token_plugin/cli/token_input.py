"""Read a token that the user was given: from an option, standard input, a file or a prompt."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.settings import expanded
from conda_token_plugin.tokens.paste import token_in

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.tokens.secret import Secret

SOURCES = ("token", "token_stdin", "token_file", "token_env")
"""The options that give a token, as attributes of the namespace."""


def read_token(call: CommandContext) -> Secret:
    """Return the token from the argument, standard input, a file, a variable or a prompt.

    Raises:
        BadInput: It is given twice, or cannot be read.
        MalformedToken: What was given contains no token.
        NeedsAnswer: It is not given, and there is no terminal to ask on.
    """
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
        return token_in(args.token)
    if args.token_stdin:
        return token_in(sys.stdin.read())
    if args.token_file:
        return token_in(_content(expanded(args.token_file)))
    if args.token_env:
        return token_in(_variable(call, args.token_env))
    return token_in(call.prompts.hidden("Token (not shown):", flag="--token-stdin"))


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

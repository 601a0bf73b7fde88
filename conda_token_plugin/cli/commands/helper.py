"""Supply the credential for a URL to another program, such as Bazel, uv or a script.

Examples:
  conda token helper get
  conda token helper token https://repo.anaconda.cloud/repo/acme/main --yes

`get` implements the credential-helper protocol: it reads a request from standard input
and prints the header, and the time at which the header expires. Tools append the word
`get` themselves, so their setting is `conda token helper`. `token` prints only the
secret. Both use the credential that conda would send to the URL. If there is none, `get`
prints no header, and `token` fails.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from conda_token_plugin.cli.parser import add_actions
from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.operations.supply_credential import credential_for, response_for
from conda_token_plugin.settings.secret_files import standard_input
from conda_token_plugin.tokens.credential_helper import format_response, parse_request
from conda_token_plugin.tokens.scope import without_secrets

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext


def configure(parser: ArgumentParser) -> None:
    """Add the two actions."""
    _, token = add_actions(
        parser,
        {
            "get": "answer a request on standard input",
            "token": "print the secret for a URL alone; with --yes also on a terminal",
        },
    )
    token.add_argument("url", metavar="URL", help="a channel, or a file in it")


def run(call: CommandContext) -> int:
    """Run the action; return its exit code."""
    return _get(call) if call.args.action == "get" else _token(call)


def _get(call: CommandContext) -> int:
    """Answer a request of the credential-helper protocol."""
    if sys.stdin is not None and sys.stdin.isatty():
        raise BadInput(
            "`helper get` reads a request from standard input, which is a terminal here.",
            hint=f'For example: echo \'{{"uri": "URL"}}\' | {call.prog} helper get',
        )
    uri = parse_request(standard_input())
    response = response_for(uri, lookup=call.lookup(), now=call.now)
    call.printer.verbatim(format_response(response))
    return 0


def _token(call: CommandContext) -> int:
    """Print the secret."""
    if call.printer.out.isatty() and not call.args.yes:
        raise BadInput(
            "The secret would be shown on the terminal.", hint="Redirect the output, or use --yes."
        )
    found = credential_for(call.args.url, lookup=call.lookup(), now=call.now)
    if found is None:
        raise NoToken.for_url(without_secrets(call.args.url))
    call.printer.verbatim(found[1].reveal())
    return 0

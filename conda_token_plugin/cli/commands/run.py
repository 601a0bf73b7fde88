"""Run one command with your tokens in its environment variables.

Examples:
  conda token run --org acme -- docker build --secret id=anaconda_repo_token_acme,env=ANACONDA_REPO_TOKEN_ACME .
  conda token run --org acme --as LOCK_TOKEN -- conda-lock -f environment.yml

Each token is in the variable ANACONDA_REPO_TOKEN_<ORG>, which this plugin also reads.
pixi, py-rattler and rattler-build read no variable, so RATTLER_AUTH_FILE names a file for
them. The file is in memory where possible, and is removed when the command ends. The
command can print its variables.

To use $ANACONDA_REPO_TOKEN_<ORG> in the command, write `sh -c '…'` with single quotes,
because your own shell would expand it before it is set. The exit code is that of CMD.
"""  # noqa: E501  # a command to copy is one line

from __future__ import annotations

import re
import signal
import subprocess
from argparse import REMAINDER
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conda_token_plugin.cli.options import program
from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.integrations.dotenv import by_variable
from conda_token_plugin.operations.export_tokens import api_key_for, tokens_for, with_secret
from conda_token_plugin.operations.private_credentials import private_credentials
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.integrations.target import Grant
    from conda_token_plugin.store.sources import Credential

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
"""Signals that may end the command. A terminal sends it Ctrl-C; we forward the others."""


def configure(parser: ArgumentParser) -> None:
    """Add the options and the command."""
    parser.usage = "%(prog)s [options] -- CMD [ARG ...]"
    parser.add_argument(
        "-o", "--org", action="append", default=[], help="only this organization's token"
    )
    parser.add_argument(
        "--api-key", action="store_true", help="the API key, in ANACONDA_AUTH_API_KEY"
    )
    parser.add_argument(
        "--as", dest="name", metavar="NAME", help="the variable's name (one organization only)"
    )
    parser.add_argument("command", nargs=REMAINDER, metavar="-- CMD", help="what to run")


def run(call: CommandContext) -> int:
    """Run the command; return its exit code, or 128 + N if signal N ended it."""
    path = call.settings.variables.get("PATH", "")
    command = program(call.args.command, path=path, example=f"{call.prog} run -- env")
    stores = call.stores()
    key = (api_key_for(call.settings, stores=stores),) if call.args.api_key else ()
    is_wanted = call.args.org or not key
    tokens = tokens_for(call.args.org, settings=call.settings, stores=stores) if is_wanted else ()
    grants = _grants(call, (*tokens, *key))
    variables = {**call.settings.variables, **_variables(grants, name=call.args.name)}
    if call.args.name:  # the user wants this one variable
        return _ran(command, variables=variables)
    with private_credentials(grants, settings=call.settings, notice=call.printer.say) as file:
        variables.update(file.variables)
        return _ran(command, variables=variables, descriptors=file.descriptors)


def _grants(call: CommandContext, found: Sequence[Credential]) -> list[Grant]:
    """Return the credentials with their secrets, without those that a provider supplies."""
    stored = [one for one in found if one.token.kind is not TokenKind.PROVIDER]
    if not stored:
        return [with_secret(one) for one in found]  # raises the error about a provider
    for one in found:
        if one not in stored:
            call.printer.say(
                f"The credential from {one.source} is not passed to the command, "
                "because a copy of it would expire."
            )
    return [with_secret(one) for one in stored]


def _variables(grants: Sequence[Grant], *, name: str | None) -> dict[str, str]:
    """Return the tokens by the names of their variables."""
    if name is None:
        return {variable: one.secret.reveal() for variable, one in by_variable(grants).items()}
    if not _NAME.fullmatch(name):
        raise BadInput(f"{name!r} is not the name of a variable.")
    if name.upper().startswith("CONDA"):
        raise BadInput(
            f"{name} begins with CONDA, and conda prints such variables (conda info, reports).",
            hint="Choose another name.",
        )
    if len(grants) > 1:
        owners = ", ".join(one.token.organization for one in grants)
        raise BadInput(
            f"One variable can contain one token, and there are several: {owners}.",
            hint="Choose one with --org.",
        )
    return {name: grants[0].secret.reveal()}


def _ran(
    command: list[str], *, variables: Mapping[str, str], descriptors: Sequence[int] = ()
) -> int:
    try:
        child = subprocess.Popen(  # noqa: S603  # the user's own
            command, env=variables, pass_fds=descriptors
        )
    except OSError as error:  # not executable on this machine, or too many processes
        raise BadInput(f"{command[0]} cannot be run: {error.strerror}.") from None
    with child, _signals_forwarded(child):
        code = child.wait()
    return 128 - code if code < 0 else code


@contextmanager
def _signals_forwarded(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Forward signals to `child` and keep waiting: the child decides what ends it."""

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT:
            child.send_signal(number)

    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

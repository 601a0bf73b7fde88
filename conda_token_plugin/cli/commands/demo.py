"""Try everything against a service that runs on this machine; your files are not touched.

Examples:
  conda-token-plugin demo
  conda-token-plugin demo --json

It issues a token, looks at it, installs a real package with it (with conda, or
with py-rattler without conda) and removes it, in a temporary home that is
deleted. It does not contact anaconda.com.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli.demo_stage import acts, stage
from conda_token_plugin.errors.outcome import CheckFailed

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext


def configure(parser: ArgumentParser) -> None:
    """Add nothing: the command has no options of its own."""


def run(call: CommandContext) -> int:
    """Run each command, and print it with its output.

    Raises:
        CheckFailed: A command failed, and the following ones are not run; or there is no client.
    """
    if not (find_spec("conda") or find_spec("rattler")):
        raise CheckFailed(
            "Neither conda nor py-rattler is installed, and one of them has to install a package.",
            hint='Run: python3 -m pip install "conda-token-plugin[demo]"',
        )
    played: list[dict[str, Any]] = []
    on_terminal = call.printer.out.isatty() and not call.printer.json
    with stage() as here:
        call.printer.say(f"A sandbox serves {here.repo}; the home is {here.home}.")
        for act in acts(here):
            call.printer.echo(f"\n$ {act.shown}\n")
            code, output = here.run(act.command, on_terminal=on_terminal)
            played.append({"command": act.shown, "exit_code": code, "output": output})
            call.printer.echo(output)
            if code:
                raise CheckFailed(f"The command `{act.shown}` failed (exit code {code}).")
    call.printer.data({"steps": played}, text="\nAll steps worked; the temporary home is removed.")
    return 0

"""Try everything against a service that runs on this machine; your files are not touched.

Examples:
  conda-token-plugin demo
  conda-token-plugin demo --json

A channel refuses a request, a token is issued, a real package is installed with it
(with conda, or with py-rattler if there is no conda), and the token is removed. The demo
runs in a temporary home, which is deleted. The addresses are shown as those of
repo.anaconda.cloud, to which no request is sent.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli.demo_stage import demo_commands, demo_home
from conda_token_plugin.errors.outcome import CheckFailed

if TYPE_CHECKING:
    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.cli.demo_stage import DemoCommand, DemoHome

GREEN, RED, BOLD, PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"
"""Colours on a terminal."""
SUCCESS = re.compile(r"^(?:Issued|Executing|installed).*", re.MULTILINE)


def run(call: CommandContext) -> int:
    """Run each command, and print it with its output.

    Raises:
        CheckFailed: A command did not end as it has to, and the following ones are not run; or
            there is no client.
    """
    if not (find_spec("conda") or find_spec("rattler")):
        raise CheckFailed(
            "Neither conda nor py-rattler is installed, and one of them has to install a package.",
            hint='Run: python3 -m pip install "conda-token-plugin[demo]"',
        )
    steps: list[dict[str, Any]] = []
    on_terminal = call.printer.out.isatty() and not call.printer.json
    colours = on_terminal and not call.settings.plain_output
    with demo_home() as here:
        call.printer.say(f"This sandbox is used in place of repo.anaconda.cloud: {here.repo}")
        for step in demo_commands(here):
            call.printer.echo(f"\n{prompted(step, here, colours=colours)}\n", colours=colours)
            code, output = here.run(step, on_terminal=on_terminal)
            steps.append({"command": here.public(step.shown), "exit_code": code, "output": output})
            call.printer.echo(f"{coloured(step, output, colours=colours)}\n", colours=colours)
            if not step.succeeded(code, output):
                raise CheckFailed(f"The command `{step.shown}` ended with exit code {code}.")
    call.printer.data({"steps": steps}, text="\nAll steps worked; the temporary home is removed.")
    return 0


def prompted(step: DemoCommand, here: DemoHome, *, colours: bool) -> str:
    """Return the command after a prompt, with the public addresses."""
    shown = here.public(step.shown)
    return f"{GREEN}${PLAIN} {BOLD}{shown}{PLAIN}" if colours else f"$ {shown}"


def coloured(step: DemoCommand, output: str, *, colours: bool) -> str:
    """Return the output; a refusal is red, and the line that reports success is green."""
    if not colours:
        return output
    if step.refused:
        return f"{RED}{output}{PLAIN}"
    return SUCCESS.sub(f"{GREEN}\\g<0>{PLAIN}", output)

"""Print what makes a shell complete `conda-token-plugin`: commands, options, fixed values, files.

Examples:
  eval "$(conda-token-plugin completion bash)"
  conda-token-plugin completion fish > ~/.config/fish/completions/conda-token-plugin.fish

bash and fish as above; zsh: a file `_conda-token-plugin` in a folder of $fpath;
PowerShell: `conda-token-plugin completion powershell | Out-String | Invoke-Expression`
in $PROFILE; tcsh: `source` the output. It does not complete organizations, and not
`conda token`: the words after `conda` are for conda to complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli import SCRIPT_PROG

if TYPE_CHECKING:
    from argparse import Action, ArgumentParser
    from collections.abc import Iterator

    from conda_token_plugin.cli.context import CommandContext

SHELLS = ("bash", "zsh", "fish", "powershell", "tcsh")
"""What shtab 1.12 and later can write for."""
FILES = {"FILE", "F", "PATH"}
"""How our options call a value that is a file's name."""


def configure(parser: ArgumentParser) -> None:
    """Take the shell."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(call: CommandContext) -> int:
    """Print the script."""
    text = script(call.args.shell)
    call.printer.data({"shell": call.args.shell, "script": text}, text=text)
    return 0


def script(shell: str) -> str:
    """The completion script for ``shell``."""
    import shtab

    from conda_token_plugin.cli.parser import whole

    parser = whole(prog=SCRIPT_PROG)
    for action in _actions(parser):
        if action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # how shtab is told
        elif isinstance(action.metavar, str):  # a name that the verb itself looks up
            action.choices = _names().get(action.metavar, action.choices)
    return str(shtab.complete(parser, shell=shell))


def _names() -> dict[str, tuple[str, ...]]:
    """The words that a value of ours can be, by what the help calls it."""
    from conda_token_plugin.cli.parser import verb_of
    from conda_token_plugin.integrations.registry import SOURCES
    from conda_token_plugin.integrations.targets import TARGETS

    return {"TARGET": (*TARGETS, *verb_of("export").module.PASSING), "SOURCE": tuple(SOURCES)}


def _actions(parser: ArgumentParser) -> Iterator[Action]:
    from argparse import _SubParsersAction

    for action in parser._actions:  # noqa: SLF001  # argparse has no public way to list them
        yield action
        if isinstance(action, _SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)

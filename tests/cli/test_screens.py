"""What a terminal of 80 columns and 24 lines shows, compared with stored screens.

To store the screens anew after a deliberate change, delete the files in `screens/` and run this
module twice: a missing file is written, and its test fails once.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import API_KEY
from tests.support.stored_screens import COLUMNS, LINES, compare, screen
from tests.support.terminal import CTRL_C, Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


def start(*words: str) -> Terminal:
    """Start a command on a terminal of 80 by 24."""
    variables = {**os.environ, "TERM": "xterm", "NO_COLOR": "1"}
    for name in ("COLUMNS", "LINES", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        variables.pop(name, None)
    return Terminal(*words, environment=variables, size=(LINES, COLUMNS))


def test_screen_of_install_with_several_organizations(shell: Shell) -> None:
    assert shell.home
    terminal = start("install")
    terminal.wait_for("For which organization?")
    terminal.type("acme\n")
    terminal.wait_for("default channels? [y/N]")
    terminal.type("y\n")
    compare("install", screen(terminal, code=0))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("list", ("list",)),
        ("status", ("status",)),
        ("status_fail_within", ("status", "acme", "--fail-within", "400d")),
        ("sync", ("sync",)),
        ("renew", ("renew", "acme")),
        ("remove_unknown", ("remove", "nosuch")),
    ],
)
def test_screen_of_command_with_two_tokens(two: Shell, name: str, words: tuple[str, ...]) -> None:
    if name in {"list", "status"}:  # the API key would be a third row
        two.unset(API_KEY)
    codes = {"status_fail_within": 1, "remove_unknown": 1}
    compare(name, screen(start(*words), code=codes.get(name, 0)))


def test_screen_of_login_with_a_code(shell: Shell) -> None:
    shell.unset(API_KEY)
    terminal = start("login")
    terminal.wait_for("Ctrl-C cancels")
    terminal.type(CTRL_C)
    compare("login", screen(terminal, code=130))


def test_screen_of_replacement_that_is_not_confirmed(shell: Shell) -> None:
    shell.sandbox.world.issue("acme", "ada")
    terminal = start("install", "acme")
    terminal.wait_for("[y/N]")
    terminal.type("n\n")
    compare("install_kept", screen(terminal, code=8))


def test_screen_of_error_is_error_and_hint_on_lines_of_their_own(shell: Shell) -> None:
    shell.sandbox.world.issue("acme", "ada")
    shown = screen(start("install", "acme", "--yes"), code=2)
    compare("error", shown)
    heads = [line[:7] for line in shown.splitlines()]
    assert [head for head in heads if head.strip()] == ["error: ", "hint:  "]


def test_no_line_of_list_is_longer_than_the_screen(two: Shell) -> None:
    two.unset(API_KEY)
    lines = screen(start("list"), code=0).splitlines()
    assert len(lines) == len(("heading", "acme", "globex"))
    assert max(map(len, lines)) <= COLUMNS

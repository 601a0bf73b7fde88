"""Output contains the same facts at every width, on a dumb terminal and without colour."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

COLOUR = re.compile(r"\x1b\[[0-9;]*\b[34][0-9]")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def held(shell: Shell) -> list[str]:
    """Return what every output must contain about a stored token."""
    shell.install("acme")
    shell.unset("ANACONDA_AUTH_API_KEY")
    (token,) = shell.held()
    return [token["organization"], token["last_four"], f"{token['days_left']}", "file"]


def on_screen(*words: str, **variables: str) -> str:
    """What a command shows on a terminal."""
    terminal = Terminal(*words, environment={**os.environ, **variables})
    assert terminal.finish() == 0, terminal.seen
    return terminal.seen


@pytest.mark.parametrize("columns", ["40", "80", "200"])
@pytest.mark.parametrize("command", ["list", "status"])
def test_every_fact_is_shown_at_any_width(held: list[str], command: str, columns: str) -> None:
    words = [command, "--offline"] if command == "status" else [command]
    seen = ESCAPE.sub("", on_screen(*words, COLUMNS=columns, TERM="xterm"))
    assert [fact for fact in held if fact not in seen] == []


def test_no_color_removes_only_colours(held: list[str]) -> None:
    seen = on_screen("list", COLUMNS="120", TERM="xterm-256color", NO_COLOR="1")
    assert not COLOUR.search(seen)
    assert [fact for fact in held if fact not in ESCAPE.sub("", seen)] == []


def test_dumb_terminal_receives_plain_text(held: list[str]) -> None:
    seen = on_screen("list", COLUMNS="120", TERM="dumb")
    assert "\x1b" not in seen
    assert [fact for fact in held if fact not in seen] == []


def test_pipe_receives_one_line_per_token_with_tabs(held: list[str], shell: Shell) -> None:
    heading, row = shell("list").out.rstrip("\n").split("\n")
    assert len(heading.split("\t")) == len(row.split("\t"))
    assert [fact for fact in held if fact not in row] == []

"""Questions on a real terminal: valid answers, invalid answers, Ctrl-C and Ctrl-D."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import CTRL_C, CTRL_D, Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


@pytest.mark.parametrize("answer", ["2", "globex"])
def test_organization_is_chosen_by_number_or_by_name(shell: Shell, answer: str) -> None:
    terminal = shell.at_terminal("install")
    terminal.wait_for("For which organization? [1-2]")
    assert "1. acme" in terminal.seen
    assert "2. globex" in terminal.seen
    terminal.type(f"{answer}\n")
    terminal.wait_for("default channels? [y/N]")
    terminal.type("\n")
    assert terminal.finish() == 0
    assert shell.held()[0]["organization"] == "globex"


@pytest.mark.parametrize("answer", ["", "0", "3", "hooli", "1 2", "²"])
def test_invalid_answer_is_asked_again(shell: Shell, answer: str) -> None:
    terminal = shell.at_terminal("install")
    terminal.wait_for("[1-2]")
    terminal.type(f"{answer}\n")
    terminal.wait_for("Type a number from 1 to 2 (or use --org).")
    terminal.type(CTRL_C)
    assert terminal.finish() == 130


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
@pytest.mark.parametrize(
    ("words", "question"),
    [
        (["install"], "For which organization?"),
        (["install", "--org", "globex"], "default channels?"),
        (["install", "--org", "acme"], "Replace token"),
        (["install", "--site", "--org", "acme", "--no-set-default-channels"], "(not shown):"),
    ],
)
def test_interrupting_a_prompt_changes_nothing(
    shell: Shell, words: list[str], question: str, key: str
) -> None:
    shell.sandbox.world.issue("acme", "ada")
    before = shell.files()
    terminal = shell.at_terminal(*words)
    terminal.wait_for(question)
    terminal.type(key)
    assert terminal.finish() == 130
    assert "\nerror: Interrupted: nothing was changed." in terminal.seen
    assert "Traceback" not in terminal.seen
    assert shell.files() == before
    assert shell.sandbox.world.current("globex", "ada") is None


@pytest.mark.parametrize("answer", ["n", "", "yesterday", "no"])
def test_answer_other_than_yes_keeps_the_token(shell: Shell, answer: str) -> None:
    held = shell.sandbox.world.issue("acme", "ada")
    terminal = shell.at_terminal("install", "--org", "acme")
    terminal.wait_for("Replace token")
    terminal.type(f"{answer}\n")
    assert terminal.finish() == 8
    current = shell.sandbox.world.current("acme", "ada")
    assert current is not None
    assert current.id == held.id


@pytest.mark.parametrize(("columns", "table"), [(200, True), (80, True), (60, False), (30, False)])
def test_list_is_a_table_if_it_fits_and_blocks_otherwise(
    acme: Shell, columns: int, *, table: bool
) -> None:
    acme.unset("ANACONDA_AUTH_API_KEY")
    terminal = Terminal("list", environment=os.environ, size=(24, columns))
    assert terminal.finish() == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.seen).splitlines()
    assert lines[0].split()[0] == ("org" if table else "acme")
    assert len(lines) == (2 if table else 6)
    assert any(re.search(r"\(\d+d\)", line) for line in lines)
    assert "…" in lines[-1]

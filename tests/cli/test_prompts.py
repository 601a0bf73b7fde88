"""Questions on a real terminal: valid answers, invalid answers, Ctrl-C and Ctrl-D."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.terminal import CTRL_C, CTRL_D, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Shell


@pytest.fixture
def start(shell: Shell) -> Callable[..., Terminal]:
    """Return a function that starts a command on a terminal, with the shell's home and sandbox."""
    assert shell.home
    return lambda *words: Terminal(*words, environment=os.environ)


@pytest.mark.parametrize("answer", ["2", "globex"])
def test_organization_is_chosen_by_number_or_by_name(
    shell: Shell, start: Callable[..., Terminal], answer: str
) -> None:
    terminal = start("install")
    terminal.wait_for("For which organization? [1-2]")
    assert "1. acme" in terminal.seen
    assert "2. globex" in terminal.seen
    terminal.type(f"{answer}\n")
    terminal.wait_for("default channels? [y/N]")
    terminal.type("\n")
    assert terminal.finish() == 0
    assert shell("list", "--json").json[0]["organization"] == "globex"


@pytest.mark.parametrize("answer", ["", "0", "3", "hooli", "1 2", "²"])
def test_invalid_answer_is_asked_again(start: Callable[..., Terminal], answer: str) -> None:
    terminal = start("install")
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
    shell: Shell, start: Callable[..., Terminal], words: list[str], question: str, key: str
) -> None:
    shell.sandbox.world.issue("acme", "ada")
    before = shell.files()
    terminal = start(*words)
    terminal.wait_for(question)
    terminal.type(key)
    assert terminal.finish() == 130
    assert "\nerror: Interrupted: nothing was changed." in terminal.seen
    assert "Traceback" not in terminal.seen
    assert shell.files() == before
    assert shell.sandbox.world.current("globex", "ada") is None


@pytest.mark.parametrize("answer", ["n", "", "yesterday", "no"])
def test_answer_other_than_yes_keeps_the_token(
    shell: Shell, start: Callable[..., Terminal], answer: str
) -> None:
    held = shell.sandbox.world.issue("acme", "ada")
    terminal = start("install", "--org", "acme")
    terminal.wait_for("Replace token")
    terminal.type(f"{answer}\n")
    assert terminal.finish() == 8
    current = shell.sandbox.world.current("acme", "ada")
    assert current is not None
    assert current.id == held.id


@pytest.mark.parametrize(("columns", "table"), [(200, True), (80, True), (60, False), (30, False)])
def test_list_is_a_table_if_it_fits_and_blocks_otherwise(
    shell: Shell, columns: int, *, table: bool
) -> None:
    shell("install", "--org", "acme", "--yes")
    shell.unset("ANACONDA_AUTH_API_KEY")
    terminal = Terminal("list", environment=os.environ, size=(24, columns))
    assert terminal.finish() == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.seen).splitlines()
    assert lines[0].split()[0] == ("org" if table else "acme")
    assert len(lines) == (2 if table else 6)
    assert any(re.search(r"\(\d+d\)", line) for line in lines)
    assert "…" in lines[-1]


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 8, 1), ("y", 0, 0)])
def test_remove_asks_before_it_forgets_an_only_token_that_was_not_named(
    shell: Shell, start: Callable[..., Terminal], answer: str, code: int, left: int
) -> None:
    shell("install", "--org", "acme", "--yes")
    terminal = start("remove")
    terminal.wait_for("of acme? [y/N]")
    terminal.type(f"{answer}\n")
    assert terminal.finish() == code
    assert len(shell("list", "--json").json) == left


def test_login_asks_before_it_makes_another_api_key(
    shell: Shell, start: Callable[..., Terminal]
) -> None:
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import user_store
    from conda_token_plugin.tokens.secret import Secret

    key = Secret(shell.sandbox.world.api_key("ada"))
    user_store(Settings()).set_login(shell.sandbox.service, key)
    shell.sandbox.requests.clear()
    terminal = start("login")
    terminal.wait_for("Make another API key? [y/N]")
    terminal.type("n\n")
    assert terminal.finish() == 8
    assert len(shell.sandbox.requests) == 0


def test_list_fits_a_token_into_a_line_of_80_columns(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    shell.unset("ANACONDA_AUTH_API_KEY")
    terminal = Terminal("list", environment={**os.environ, "TERM": "dumb"})
    assert terminal.finish() == 0
    row = terminal.seen.splitlines()[1]
    assert "acme,main,r,msys2" in row
    assert len(row.rstrip()) <= 80

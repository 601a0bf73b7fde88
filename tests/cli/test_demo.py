"""`demo`: its error without a client, and what it shows of a command.

tests/end_to_end/test_documentation.py runs the whole demo.
"""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli.commands import demo
from conda_token_plugin.cli.demo_stage import ERASED, DemoCommand, DemoHome
from conda_token_plugin.cli.output import Printer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Shell


def test_demo_without_a_client_names_the_extra_and_runs_nothing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda _name: None)
    ran = shell("demo").failed(1, "conda-token-plugin[demo]")
    assert ran.out == ""
    assert shell.files() == {}


@pytest.fixture
def stage(tmp_path: Path) -> DemoHome:
    """A stage whose sandbox is not running."""
    return DemoHome(
        home=tmp_path,
        repo="http://127.0.0.1:8765/repo/",
        organizations=("acme",),
        variables={},
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("from http://127.0.0.1:8765/repo/acme", "from https://repo.anaconda.cloud/repo/acme"),
        ("127.0.0.1:8765/repo/{acme,main}", "repo.anaconda.cloud/repo/{acme,main}"),
        ("for 127.0.0.1 in", "for repo.anaconda.cloud in"),
    ],
)
def test_addresses_of_the_sandbox_are_shown_as_public_ones(
    stage: DemoHome, text: str, shown: str
) -> None:
    assert stage.public(text) == shown
    assert stage.public(f"in {stage.home}/env") == "in ~/env"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("a\nHTTP 403 \nb\nRun: x\n", "Run: x"),
        ("a\nHTTP 403 \nb\n", "HTTP 403"),
        ("Traceback\nKeyError\n", "Traceback\nKeyError"),
    ],
)
def test_act_shows_the_lines_of_the_first_pattern_that_is_found(output: str, shown: str) -> None:
    act = DemoCommand(shown="", command=[], lines=("Run", "403"))
    assert act.abridged(output) == shown


@pytest.mark.parametrize(
    ("refused", "code", "output", "succeeded"),
    [
        (True, 1, "HTTP 403", True),
        (True, 1, "Traceback", False),
        (True, 0, "403 packages", False),
        (False, 0, "", True),
        (False, 5, "HTTP 403", False),
    ],
)
def test_refused_act_succeeds_only_with_a_403(
    *, refused: bool, code: int, output: str, succeeded: bool
) -> None:
    act = DemoCommand(shown="", command=[], refused=refused)
    assert act.succeeded(code, output) is succeeded


def test_erased_line_of_a_spinner_is_not_shown() -> None:
    written = "before\n\x1b[?25l⠋ Waiting\r\x1b[2K⠙ Waiting\r\x1b[2K\x1b[?25hdone \x1b[1mx\x1b[0m\n"
    assert ERASED.sub("", written) == "before\ndone \x1b[1mx\x1b[0m\n"


def test_echo_keeps_colours_and_escapes_other_sequences() -> None:
    out = StringIO()
    printer = Printer(out=out, err=StringIO())
    printer.echo("\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J", colours=True)
    assert out.getvalue() == "\x1b[31mred\x1b[0m \\x1b]0;title\\x07 \\x1b[2J"


def test_success_is_green_and_a_refusal_is_red() -> None:
    refused, install = (
        DemoCommand(shown="", command=[], refused=refused) for refused in (True, False)
    )
    assert demo.coloured(refused, "HTTP 403", colours=True) == "\x1b[31mHTTP 403\x1b[0m"
    shown = demo.coloured(install, "Issued a token\nExpires: x", colours=True)
    assert shown == "\x1b[32mIssued a token\x1b[0m\nExpires: x"
    assert demo.coloured(refused, "HTTP 403", colours=False) == "HTTP 403"

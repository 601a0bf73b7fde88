"""The spinner: shown on a terminal during a long wait, and in no other output."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli.output import Printer
from conda_token_plugin.cli.spinner import Spinner
from tests.support.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

WHAT = "Waiting for the service"


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    """A terminal."""
    monkeypatch.setenv("TERM", "xterm")
    opened = Screen()
    yield opened
    opened.close()


def spinner(screen: Screen) -> Spinner:
    return Spinner(WHAT, stream=screen.stream)


def test_long_wait_is_shown_and_erased(screen: Screen) -> None:
    shown = spinner(screen)
    shown.show()
    screen.wait_for(WHAT)
    shown.stop()
    assert screen.rest().endswith("\x1b[2K"), "the line is erased"


def test_wait_that_ended_is_not_shown(screen: Screen) -> None:
    shown = spinner(screen)
    shown.start_after(3600)
    shown.stop()
    shown.show()
    assert screen.rest() == ""


def test_dumb_terminal_receives_one_permanent_line(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    shown = spinner(screen)
    shown.show()
    shown.stop()
    assert screen.rest() == f"{WHAT}\r\n"


def test_spinner_has_no_colour_when_no_color_is_set(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = spinner(screen)
    shown.show()
    screen.wait_for(WHAT)
    shown.stop()
    assert "\x1b[3" not in screen.seen


@pytest.mark.parametrize("flag", ["json", "quiet"])
def test_wait_is_not_shown_with_json_or_quiet(screen: Screen, flag: str) -> None:
    printer = Printer(err=screen.stream, json=flag == "json", quiet=flag == "quiet")
    with printer.waiting(WHAT):
        pass
    assert screen.rest() == ""


def test_wait_is_not_written_to_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with Printer().waiting(WHAT):
        pass
    assert capsys.readouterr().err == ""


def test_short_wait_does_not_import_rich(screen: Screen) -> None:
    code = (
        "import sys; from conda_token_plugin.cli.output import Printer\n"
        "with Printer().waiting('x'): pass\n"
        "sys.stdout.write(str('rich' in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=-1, stderr=screen.stream, text=True, check=True
    )
    assert done.stdout == "False"


def test_error_during_a_wait_ends_the_spinner(screen: Screen) -> None:
    with pytest.raises(ZeroDivisionError), Printer(err=screen.stream).waiting(WHAT):
        _ = 1 / 0
    assert screen.rest() == ""

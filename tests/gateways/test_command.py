"""Commands of the user: a time limit, an ended process group, bounded output, no working folder."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from time import sleep
from typing import Any

import pytest

from conda_token_plugin.gateways.command import MAX_OUTPUT, CommandFailed, output_of
from conda_token_plugin.settings import Settings
from tests.support.providers import program

LIMIT = 30.0
"""Seconds; no test reaches it unless it is about the time limit."""
CHILD = """
import os, subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({pid!r} + ".new", "w").write(str(child.pid))
os.rename({pid!r} + ".new", {pid!r})
{then}
"""


def output(*command: str, request: str = "", seconds: float = LIMIT) -> str:
    return output_of(command, request=request, seconds=seconds, settings=Settings(), variables={})


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def wait_for_end(pid: int) -> None:
    """Return when a process has ended; a zombie has ended. The test's time limit applies."""
    status = Path(f"/proc/{pid}/stat")
    with suppress(FileNotFoundError):
        while status.read_text().rpartition(")")[2].split()[0] != "Z":
            sleep(0.01)


def test_command_gets_the_request_and_returns_its_output() -> None:
    echo = python("import sys; print(sys.stdin.read().upper(), end='')")
    assert output(*echo, request="the request é") == "THE REQUEST É"


def test_output_is_redacted_in_texts() -> None:
    text = output(*python("print('MadeUpSecret')"))
    assert "MadeUp" not in f"{text} {text!r}"


@pytest.mark.parametrize("size", [0, 1_000_000])
def test_command_that_does_not_read_its_input_works(size: int) -> None:
    assert output(*python("print('x', end='')"), request="r" * size) == "x"


def test_arguments_are_not_read_by_a_shell() -> None:
    words = ("$HOME", "; touch x", "*", "a b")
    show = python("import sys; print('|'.join(sys.argv[1:]), end='')")
    assert output(*show, *words) == "|".join(words)


def test_working_folder_has_no_influence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("print('from the project')")
    monkeypatch.chdir(tmp_path)
    assert output(*python("import json, os; print(os.getcwd(), end='')")) == os.sep


def test_standard_error_is_discarded(capfd: pytest.CaptureFixture[str]) -> None:
    output(*python("import sys; sys.stderr.write('MadeUpSecret')"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise SystemExit(3)", "exited with code 3"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9"),
        (f"print('x' * {MAX_OUTPUT + 1})", f"printed more than {MAX_OUTPUT} bytes"),
        ("while True: print('x' * 4096)", f"printed more than {MAX_OUTPUT} bytes"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "printed something that is not UTF-8"),
    ],
)
def test_failure_is_reported_without_the_output(code: str, reason: str) -> None:
    with pytest.raises(CommandFailed) as failed:
        output(*python(code))
    assert str(failed.value) == reason


@pytest.mark.parametrize("command", ["/no/such/program", "/", "\0", "\udcff"])
def test_command_that_cannot_be_started_fails(command: str) -> None:
    with pytest.raises(CommandFailed, match="cannot be started"):
        output(command)


@pytest.mark.parametrize("then", ["import time; time.sleep(600)", "child.wait()"])
def test_time_limit_ends_every_process_of_the_group(tmp_path: Path, then: str) -> None:
    pid = tmp_path / "pid"
    hang = program(tmp_path, CHILD.format(pid=str(pid), then=then))
    seconds = 2
    while not pid.exists():  # on a busy machine, the limit may end it before it has a child
        with pytest.raises(CommandFailed, match=f"did not finish within {seconds} seconds"):
            output(*hang.command, seconds=seconds)
        seconds *= 2
    wait_for_end(int(pid.read_text()))


def test_processes_that_a_command_leaves_running_are_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    body = CHILD.replace("])", "], stdout=subprocess.DEVNULL)", 1)
    leaves = program(tmp_path, body.format(pid=str(pid), then="print('x', end='')"))
    assert output(*leaves.command) == "x"
    wait_for_end(int(pid.read_text()))


def test_command_that_ignores_signals_is_ended() -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    with pytest.raises(CommandFailed, match="within 1 seconds"):
        output(*python(code), seconds=1)


def test_interrupt_ends_the_command(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = (
        "import os, signal, sys, time; sys.stdin.read(); "  # the parent waits for the answer now
        f"open({str(pid)!r}, 'w').write(str(os.getpid())); "
        "os.kill(os.getppid(), signal.SIGINT); time.sleep(600)"
    )
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        output(*python(code))
    wait_for_end(int(pid.read_text()))


def test_interrupt_while_the_command_is_started_ends_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []

    def interrupted(*args: Any, **options: Any) -> Popen[bytes]:
        started.append(Popen(*args, **options))
        signal.raise_signal(signal.SIGINT)
        return started[0]

    monkeypatch.setattr("subprocess.Popen", interrupted)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt):
        output(*python("import time; time.sleep(600)"))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    code = started[0].poll()
    with started[0] as command:
        command.kill()
    assert code == -signal.SIGKILL

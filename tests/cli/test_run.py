"""`run`: the token in one command's environment, and nowhere else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

SHOW = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"


def seen(shell: Shell, tmp_path: Path, *words: str) -> dict[str, str]:
    """The environment of the command."""
    path = tmp_path / "seen"
    ran = shell("run", *words, "--", sys.executable, "-c", SHOW, str(path)).well()
    assert ran.out + ran.err == ""
    found: dict[str, str] = json.loads(path.read_text())
    path.unlink()
    return found


def test_run_sets_the_variable_of_each_token(two: Shell, tmp_path: Path) -> None:
    before = two.files()
    found = seen(two, tmp_path, "--quiet")
    assert found["ANACONDA_REPO_TOKEN_ACME"] == two.issued("acme").value
    assert found["ANACONDA_REPO_TOKEN_GLOBEX"] == two.issued("globex").value
    assert "ANACONDA_REPO_TOKEN" not in found
    assert two.files() == before
    assert "ANACONDA_REPO_TOKEN_ACME" not in os.environ


def test_run_sets_only_the_token_of_the_named_organization(two: Shell, tmp_path: Path) -> None:
    found = seen(two, tmp_path, "--org", "acme")
    assert "ANACONDA_REPO_TOKEN_ACME" in found
    assert "ANACONDA_REPO_TOKEN_GLOBEX" not in found


def test_run_uses_the_named_variable(acme: Shell, tmp_path: Path) -> None:
    value = acme.issued("acme").value
    found = seen(acme, tmp_path, "--as", "LOCK_TOKEN")
    assert found["LOCK_TOKEN"] == value
    assert "ANACONDA_REPO_TOKEN_ACME" not in found


@pytest.mark.parametrize("name", ["CONDA_X", "conda_x", "1X", "A-B", "A=B", ""])
def test_run_refuses_an_invalid_name_and_one_that_conda_prints(acme: Shell, name: str) -> None:
    ran = acme("run", "--as", name, "--", "true").failed(2)
    assert name.upper().startswith("CONDA") == ("conda prints" in ran.line)


def test_run_refuses_one_variable_for_several_tokens(two: Shell) -> None:
    two("run", "--as", "X", "--", "true").failed(2, "acme, globex")


@pytest.mark.parametrize("code", [0, 3, 255])
def test_run_returns_the_exit_code_of_the_command(acme: Shell, code: int) -> None:
    assert acme("run", sys.executable, "-c", f"raise SystemExit({code})").code == code


def test_run_passes_options_to_the_command(acme: Shell, tmp_path: Path) -> None:
    path = tmp_path / "argv"
    code = f"import sys; open({str(path)!r}, 'w').write(repr(sys.argv[1:]))"
    acme("run", sys.executable, "-c", code, "--org", "x", "--", "--json", "-y").well()
    assert path.read_text() == "['--org', 'x', '--', '--json', '-y']"


@pytest.mark.parametrize("words", [[], ["--"], ["--org", "acme"]])
def test_run_without_a_command_is_an_error(acme: Shell, words: list[str]) -> None:
    assert "No command was given." in acme("run", *words).line


def test_run_of_a_missing_program_is_an_error(acme: Shell) -> None:
    acme("run", "--", "no-such-program").failed(2, "no-such-program")


def test_run_of_a_file_that_is_not_executable_is_an_error(acme: Shell, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\x00\x01")
    (tmp_path / "bad").chmod(0o755)
    acme("run", "--", str(tmp_path / "bad")).failed(2, "cannot be run")


def test_run_without_a_token_runs_nothing(shell: Shell, tmp_path: Path) -> None:
    ran = shell("run", "--", sys.executable, "-c", SHOW, str(tmp_path / "seen"))
    assert ran.code == 1
    assert not (tmp_path / "seen").exists()


def started(*command: str, ready: Path) -> subprocess.Popen[bytes]:
    """Start `run` in a process group of its own, and wait until its command has made ``ready``."""
    words = ["-m", "conda_token_plugin", "run", "--", sys.executable, "-c", *command]
    ours = subprocess.Popen(
        [sys.executable, *words], start_new_session=True, stderr=subprocess.DEVNULL
    )
    while not ready.exists():
        assert ours.poll() is None, "`run` ended before its command was ready"
        time.sleep(0.01)
    return ours


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_forwards_signals_to_the_command(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C goes to the whole group, as a terminal sends it; the rest to us alone."""
    ready = tmp_path / "ready"
    wait = f"import signal, time; open({str(ready)!r}, 'w').close(); time.sleep(60)"
    with started(wait, ready=ready) as ours:
        if number is signal.SIGINT:
            os.killpg(ours.pid, number)
        else:
            ours.send_signal(number)
        code = ours.wait()
    assert code == 128 + number


SLEEP = """
import os, pathlib, signal, sys, time
if sys.argv[2] == "ignored":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
with open(sys.argv[1] + ".new", "w") as report:
    report.write(os.environ["RATTLER_AUTH_FILE"])
os.rename(sys.argv[1] + ".new", sys.argv[1])
while not pathlib.Path(sys.argv[1] + ".end").exists():
    time.sleep(0.01)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT"])
@pytest.mark.parametrize("answer", ["obeyed", "ignored"])
def test_run_removes_the_credentials_file_after_a_signal(
    acme: Shell, tmp_path: Path, name: str, answer: str
) -> None:
    """The command ends at the signal, or ignores it and ends later."""
    number, report = getattr(signal, name), tmp_path / "report"
    with started(SLEEP, str(report), answer, ready=report) as ours:
        path = Path(report.read_text())
        assert acme.issued("acme").value in path.read_text()
        ours.send_signal(number)
        ignored = answer == "ignored" and name != "SIGQUIT"
        if ignored:
            report.with_name("report.end").touch()
        code = ours.wait()
    assert code == (0 if ignored else 128 + number)
    assert not path.parent.exists()


def test_run_refuses_two_tokens_with_the_same_variable(acme: Shell) -> None:
    """Otherwise the last token would be in the variable, without a message."""
    acme.set("OTHER", "fedcba9876543210")
    other = ("-c", "https://files.example.com/more", "--token-env", "OTHER", "--no-validate")
    acme("install", "--site", "--org", "acme", *other)
    acme("run", "--org", "acme", "--", "true").failed(
        2, "can store one credential for ANACONDA_REPO_TOKEN_ACME"
    )


def test_run_leaves_out_what_a_provider_supplies_and_says_so(two: Shell, tmp_path: Path) -> None:
    value = two.issued("acme").value
    scope = f"{two.sandbox.repo}globex"
    two("provider", "add", "--scope", scope, "--name", "mine", "--", sys.executable).well()
    path = tmp_path / "seen"

    ran = two("run", "--", sys.executable, "-c", SHOW, str(path)).well()
    assert "from provider mine is not passed to the command" in ran.err
    found = json.loads(path.read_text())
    assert found["ANACONDA_REPO_TOKEN_ACME"] == value
    assert "ANACONDA_REPO_TOKEN_GLOBEX" not in found


def test_run_with_a_provider_only_is_an_error(acme: Shell) -> None:
    scope = f"{acme.sandbox.repo}acme"
    acme("provider", "add", "--scope", scope, "--name", "mine", "--", sys.executable)

    acme("run", "--org", "acme", "--as", "X", "--", "true").failed(2, "provider mine")

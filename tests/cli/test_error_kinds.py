"""Each kind of error, caused by a command: its name and its exit code, as a script reads them."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from conda_token_plugin.cli.output import Printer
from conda_token_plugin.cli.prompts import Terminal
from conda_token_plugin.errors.outcome import NotConfirmed, OutputLost
from conda_token_plugin.gateways import files, locks
from conda_token_plugin.store import envelope
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from tests.cli.conftest import Shell
    from tests.support.machine import Ran


def failed(ran: Ran, kind: str, *, code: int) -> str:
    """The error's one line, if it is of this kind and the command ended with this code."""
    error = ran.json["error"]
    assert error["kind"] == kind, error
    assert ran.code == error["exit_code"] == code
    assert ran.err.count("error:") == 0
    return f"{error['what']} {error['hint']}"


@pytest.fixture
def folder(shell: Shell) -> Path:
    """The store's folder, with a token in it."""
    shell.install("acme")
    return shell.home / ".local" / "share" / "conda-token-plugin"


class Keyboard(io.StringIO):
    """The keys of a user, as a terminal passes them on."""

    def isatty(self) -> bool:
        return True


def type_in(monkeypatch: pytest.MonkeyPatch, keys: str) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard(keys))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)


def test_url_that_no_token_covers_is_no_token(shell: Shell) -> None:
    shell.unset("ANACONDA_AUTH_API_KEY")
    ran = shell("which", f"{shell.sandbox.repo}acme/main", "--json")
    assert "without one" in failed(ran, "NoToken", code=1)


def test_demo_without_a_sandbox_is_check_failed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert "sandbox" in failed(shell("demo", "--json"), "CheckFailed", code=1)


def test_absent_library_is_missing_library(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "filelock", None)
    ran = shell("login", "--web", "--json", "--store", "file")
    assert "filelock" in failed(ran, "MissingLibrary", code=1)


def test_question_without_a_terminal_is_needs_answer(shell: Shell) -> None:
    assert "--org" in failed(shell("install", "--json"), "NeedsAnswer", code=2)


def test_answering_no_keeps_the_token_and_is_not_an_error(
    shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    type_in(monkeypatch, "no\n")
    ran = shell("install", "--org", "acme", "--json")
    assert (ran.code, ran.json["action"]) == (8, "kept")
    assert "Kept token" in ran.err
    assert "error:" not in ran.err
    assert before == {path: path.read_bytes() for path in folder.rglob("*.json")}


def test_answer_no_is_not_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "no\n")
    with pytest.raises(NotConfirmed) as caught:
        Terminal(Printer()).confirm("Continue?")
    assert caught.value.exit_code == 8


@pytest.mark.parametrize("condition", ["--if-missing", "--yes"])
def test_token_of_another_machine_is_held_elsewhere(shell: Shell, condition: str) -> None:
    elsewhere = shell.sandbox.world.issue("acme", "ada")
    ran = shell("install", "--org", "acme", condition, "--json")
    assert str(elsewhere.id) in failed(ran, "HeldElsewhere", code=2)
    assert shell.issued("acme") == elsewhere


@pytest.mark.parametrize("command", ["install", "renew"])
def test_interrupt_after_a_login_reports_the_login(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    if command == "renew":
        shell.install("acme")
        shell.sandbox.world.revoke(shell.issued("acme").id)
    key = shell.sandbox.world.api_key("ada")
    shell.unset("ANACONDA_AUTH_API_KEY")
    monkeypatch.setattr(
        "conda_token_plugin.cli.login_flow.log_in", lambda *_args, **_options: (Secret(key), "file")
    )
    type_in(monkeypatch, "")
    ran = shell(command, "--json")
    assert "you are logged in now" in failed(ran, "Interrupted", code=130)


def test_end_of_input_at_a_prompt_is_interrupted(
    shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder
    type_in(monkeypatch, "")
    ran = shell("install", "--org", "acme", "--json")
    assert "nothing was changed" in failed(ran, "Interrupted", code=130)


def test_file_in_the_place_of_a_folder_is_configuration_error(shell: Shell) -> None:
    (shell.home / ".conda").write_text("a file where a folder has to be")
    ran = shell("install", "--org", "acme", "--yes", "--json")
    assert ".conda" in failed(ran, "ConfigurationError", code=7)


def index_of(folder: Path) -> Path:
    (index,) = (path for path in folder.iterdir() if path.name.startswith("index"))
    return index


def test_truncated_index_is_store_corrupt_and_unchanged(shell: Shell, folder: Path) -> None:
    index = index_of(folder)
    index.write_bytes(index.read_bytes()[:-1])
    damaged = index.read_bytes()
    for words in (["list"], ["install", "--org", "acme", "--yes"], ["remove", "acme"]):
        assert str(index) in failed(shell(*words, "--json"), "StoreCorrupt", code=6)
        assert index.read_bytes() == damaged


def test_index_of_a_later_version_is_store_newer_and_unchanged(shell: Shell, folder: Path) -> None:
    index = index_of(folder)
    newer = envelope.wrapped("index", {}, version=3)
    index.write_bytes(newer)
    assert "pdate" in failed(shell("list", "--json"), "StoreNewer", code=6)
    assert index.read_bytes() == newer


def test_locked_store_is_store_busy(
    shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "WAIT", 0.05)
    with FileLock(folder / files.LOCK, is_singleton=False):
        assert "locked" in failed(shell("remove", "acme", "--json"), "StoreBusy", code=6)
    assert shell("remove", "acme").code == 0


def test_deleted_secret_is_secret_lost(shell: Shell, folder: Path) -> None:
    for path in (folder / "secrets").iterdir():
        path.unlink()
    ran = shell("export", "rattler", "--json")
    assert "install --org acme" in failed(ran, "SecretLost", code=6)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_full_disk_behind_the_output_is_output_lost() -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full, pytest.raises(OutputLost):
        Printer(out=full).data({}, text="an answer")

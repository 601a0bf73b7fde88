"""An issue is a transaction: killed anywhere, the token is stored or the user is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli import main
from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.errors.organization import NoSeat
from conda_token_plugin.errors.store import IssueLost, StoreUnusable
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations import issue_journal
from conda_token_plugin.operations.issue_token import uninterrupted
from conda_token_plugin.store import Store
from conda_token_plugin.tokens.token import utc

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox

NOW = utc("2026-11-24T12:00:00Z")
KILLED = """
import os, signal, sys
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations import issue_journal
from conda_token_plugin.cli import main
from conda_token_plugin.service.client import Service
from conda_token_plugin.store import Store

def dying(function):
    def call(*args, **kwargs):
        result = None if before else function(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

place, before = sys.argv[1], sys.argv[2] == "before"
owner, name = {
    "issue": (Service, "issue"), "add": (Store, "add"), "update": (Store, "update"),
    "write": (dropin, "write"), "clear": (issue_journal, "clear"),
}[place]
setattr(owner, name, dying(getattr(owner, name)))
main(["install", "--org", "acme", "--yes"])
"""


@pytest.fixture
def variables(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDA_TOKEN_SERVICE_URL", sandbox.service)
    monkeypatch.setenv("CONDA_TOKEN_REPO_URL", sandbox.repo)
    monkeypatch.setenv("CONDA_TOKEN_STORE", "file")
    monkeypatch.setenv("ANACONDA_AUTH_API_KEY", sandbox.world.api_key("ada"))


def plugin(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conda_token_plugin", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("place", ["issue", "add", "update", "write", "clear"])
def test_a_kill_leaves_the_token_or_a_word_about_it(
    sandbox: Sandbox, place: str, when: str
) -> None:
    command = [sys.executable, "-c", KILLED, place, when]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    issued = sandbox.world.current("acme", "ada")
    listed = plugin("list")
    assert listed.returncode == 0
    stored = issued is not None and issued.value[-4:] in listed.stdout
    told = "cut short" in listed.stderr and "install --org acme" in listed.stderr
    assert issued is None or stored or told
    assert issued is None or issued.value[:8] not in listed.stdout + listed.stderr
    assert plugin("install", "--org", "acme", "--yes").returncode == 0
    assert "cut short" not in plugin("list").stderr


def test_a_ctrl_c_waits_until_what_was_issued_is_stored() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():  # noqa: PT012  # what comes after it
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)  # a chance for the interpreter to deliver it
        done.append("stored")
    assert done == ["stored"]


def test_an_issue_that_failed_with_a_word_leaves_no_note(tmp_path: Path) -> None:
    with pytest.raises(NoSeat), issue_journal.noted(tmp_path, organization="acme", now=NOW):
        raise NoSeat("acme")
    assert not (tmp_path / issue_journal.NAME).exists()


def test_an_issue_that_is_under_way_is_not_spoken_of(tmp_path: Path) -> None:
    with issue_journal.noted(tmp_path, organization="acme", now=NOW):
        assert (tmp_path / issue_journal.NAME).exists()
        assert issue_journal.cut_short(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"organization": "acme"}'])
def test_a_note_that_was_cut_short_itself_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / issue_journal.NAME).write_bytes(content)
    assert issue_journal.cut_short(tmp_path) is None


def test_a_note_is_of_the_dead_also_where_its_process_has_the_number_of_this_one(
    tmp_path: Path,
) -> None:
    facts = f'{{"organization": "acme", "started": "{NOW.isoformat()}", "process": {os.getpid()}}}'
    (tmp_path / issue_journal.NAME).write_text(facts)
    note = issue_journal.cut_short(tmp_path)
    assert note is not None
    assert "install --org acme" in note.warning


@pytest.mark.skipif(sys.platform == "win32", reason="no lock is held there")
def test_an_issue_of_another_process_is_under_way_until_it_is_killed(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from conda_token_plugin.operations import issue_journal
from conda_token_plugin.tokens.token import utc
with issue_journal.noted(Path(sys.argv[1]), organization="acme", now=utc("2026-11-24")):
    print("noted", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"noted\n"
        assert issue_journal.cut_short(tmp_path) is None
        child.kill()
    assert issue_journal.cut_short(tmp_path) is not None


def full(*_args: object, **_options: object) -> None:
    raise StoreUnusable(Path("/store/index"), reason="No space left on device")


def unwritable(path: Path, **_options: object) -> None:
    raise ConfigurationError(path, reason="cannot be written: No space left on device")


@pytest.mark.usefixtures("variables")
def test_a_store_that_fails_after_the_issue_is_not_said_to_have_changed_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Store, "add", full)
    assert main(["install", "--org", "acme", "--yes"]) == IssueLost.exit_code
    issued = sandbox.world.current("acme", "ada")
    said = capsys.readouterr().err
    assert "No space left on device." in said
    assert "is lost" in said
    assert "Nothing was changed" not in said
    assert "conda token install --org acme" in said
    assert issued is not None
    assert issued.value not in said


@pytest.mark.usefixtures("variables")
def test_a_drop_in_that_fails_after_the_issue_is_made_up_for_without_another(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(dropin, "write", unwritable)
        assert main(["install", "--org", "acme", "--yes"]) == ConfigurationError.exit_code
    assert "conda token install --org acme --if-missing" in capsys.readouterr().err
    issued = sandbox.world.current("acme", "ada")
    assert main(["install", "--org", "acme", "--if-missing"]) == 0
    assert sandbox.world.current("acme", "ada") == issued
    assert "auth: conda-token-plugin" in next(
        Path.home().rglob("conda-token-plugin.yml")
    ).read_text("utf-8")

"""Issuing is a transaction: after a kill anywhere, the token is stored or the loss reported."""

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
from conda_token_plugin.operations.issue_token import delayed_interrupt
from conda_token_plugin.service.client import Service
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import Store
from conda_token_plugin.tokens.token import utc

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox
    from conda_token_plugin.service.models import IssuedToken

NOW = utc("2026-11-24T12:00:00Z")
KILLED = """
import os, signal, sys
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations import issue_journal
from conda_token_plugin.cli import main
from conda_token_plugin.service.client import Service
from conda_token_plugin.store import Store

def killing(function):
    def call(*args, **kwargs):
        result = None if before else function(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call

place, before = sys.argv[1], sys.argv[2] == "before"
owner, name = {
    "issue": (Service, "issue"), "add": (Store, "add"), "update": (Store, "update"),
    "write": (dropin, "write"), "remove": (issue_journal, "remove"),
}[place]
setattr(owner, name, killing(getattr(owner, name)))
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
@pytest.mark.parametrize("place", ["issue", "add", "update", "write", "remove"])
def test_kill_during_issue_leaves_the_token_or_a_journal_entry(
    sandbox: Sandbox, place: str, when: str
) -> None:
    command = [sys.executable, "-c", KILLED, place, when]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    issued = sandbox.world.current("acme", "ada")
    listed = plugin("list")
    assert listed.returncode == 0
    stored = issued is not None and issued.value[-4:] in listed.stdout
    told = "was interrupted" in listed.stderr and "install --org acme" in listed.stderr
    assert issued is None or stored or told
    assert issued is None or issued.value[:8] not in listed.stdout + listed.stderr
    assert plugin("install", "--org", "acme", "--yes").returncode == 0
    assert "was interrupted" not in plugin("list").stderr


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)  # lets the interpreter run the signal handler


def test_first_ctrl_c_is_delayed_until_the_block_is_done() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), delayed_interrupt():  # noqa: PT012  # what follows it
        press_ctrl_c()
        done.append("stored")
    assert done == ["stored"]


def test_second_ctrl_c_ends_the_block_at_once() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt), delayed_interrupt():  # noqa: PT012  # what follows it
        press_ctrl_c()
        press_ctrl_c()
        done.append("stored")
    assert done == []


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize(
    ("presses", "said", "left"), [(1, "is stored", 0), (2, "may have issued", 1)]
)
def test_ctrl_c_during_the_request_reports_what_was_changed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    presses: int,
    said: str,
    left: int,
) -> None:
    issue = Service.issue

    def interrupted(self: Service, organization: str) -> IssuedToken:
        for _ in range(presses):
            press_ctrl_c()
        return issue(self, organization)

    monkeypatch.setattr(Service, "issue", interrupted)
    assert main(["install", "--org", "acme", "--yes"]) == 130
    assert said in capsys.readouterr().err
    assert len(issue_journal.interrupted(Settings().store_folder)) == left


def entries(folder: Path) -> list[Path]:
    return list(folder.glob(f"{issue_journal.PREFIX}*"))


def test_journal_entry_is_removed_when_the_issue_fails_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(NoSeat), issue_journal.recorded(tmp_path, organization="acme", now=NOW):
        raise NoSeat("acme")
    assert entries(tmp_path) == []


def test_journal_does_not_report_an_issue_that_is_running(tmp_path: Path) -> None:
    with issue_journal.recorded(tmp_path, organization="acme", now=NOW):
        assert len(entries(tmp_path)) == 1
        assert issue_journal.interrupted(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"organization": "acme"}'])
def test_journal_skips_an_entry_that_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{issue_journal.PREFIX}0{issue_journal.SUFFIX}").write_bytes(content)
    assert issue_journal.interrupted(tmp_path) == []


def test_journal_reports_an_unlocked_entry_with_the_process_id_of_this_process(
    tmp_path: Path,
) -> None:
    facts = f'{{"organization": "acme", "started": "{NOW.isoformat()}", "process": {os.getpid()}}}'
    (tmp_path / f"{issue_journal.PREFIX}0{issue_journal.SUFFIX}").write_text(facts)
    (entry,) = issue_journal.interrupted(tmp_path)
    assert "install --org acme" in entry.warning


CHILD = """
import sys
from pathlib import Path
from conda_token_plugin.operations import issue_journal
from conda_token_plugin.tokens.token import utc
with issue_journal.recorded(Path(sys.argv[1]), organization=sys.argv[2], now=utc("2026-11-24")):
    print("recorded", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="entries are not locked there")
@pytest.mark.parametrize("during", [[], ["globex"]], ids=["alone", "beside another issue"])
def test_journal_reports_the_issue_of_a_killed_process(tmp_path: Path, during: list[str]) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path), "acme"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"recorded\n"
        for organization in during:  # starts and ends while the other one is running
            with issue_journal.recorded(tmp_path, organization=organization, now=NOW):
                pass
        assert issue_journal.interrupted(tmp_path) == []
        child.kill()
    (entry,) = issue_journal.interrupted(tmp_path)
    assert entry.organization == "acme"


def test_successful_issue_removes_interrupted_entries_of_its_organization(tmp_path: Path) -> None:
    for number, organization in enumerate(["acme", "globex"]):
        facts = f'{{"organization": "{organization}", "started": "{NOW.isoformat()}"}}'
        (tmp_path / f"{issue_journal.PREFIX}{number}{issue_journal.SUFFIX}").write_text(facts)
    with issue_journal.recorded(tmp_path, organization="acme", now=NOW):
        pass
    (entry,) = issue_journal.interrupted(tmp_path)
    assert entry.organization == "globex"


def full(*_args: object, **_options: object) -> None:
    raise StoreUnusable(Path("/store/index"), reason="No space left on device")


def unwritable(path: Path, **_options: object) -> None:
    raise ConfigurationError(path, reason="cannot be written: No space left on device")


@pytest.mark.usefixtures("variables")
def test_store_failure_after_the_issue_reports_that_the_token_is_lost(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Store, "add", full)
    assert main(["install", "--org", "acme", "--yes"]) == IssueLost.exit_code
    issued = sandbox.world.current("acme", "ada")
    said = capsys.readouterr().err
    assert "No space left on device." in said
    assert "could not be stored" in said
    assert "Nothing was changed" not in said
    assert "conda token install --org acme" in said
    assert issued is not None
    assert issued.value not in said


@pytest.mark.usefixtures("variables")
def test_drop_in_failure_after_the_issue_is_repaired_without_issuing_again(
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

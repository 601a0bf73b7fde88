"""An issue is a transaction: killed anywhere, the token is stored or the user is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin import pending
from conda_token_plugin.errors import NoSeat
from conda_token_plugin.issuing import uninterrupted
from conda_token_plugin.tokens import utc

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox

NOW = utc("2026-11-24T12:00:00Z")
KILLED = """
import os, signal, sys
from conda_token_plugin import condarc, issuing, pending
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
    "write": (condarc, "write"), "clear": (pending, "clear"),
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
    with pytest.raises(NoSeat), pending.noted(tmp_path, organization="acme", now=NOW):
        raise NoSeat("acme")
    assert not (tmp_path / pending.NAME).exists()


def test_an_issue_that_is_under_way_is_not_spoken_of(tmp_path: Path) -> None:
    with pending.noted(tmp_path, organization="acme", now=NOW):
        assert (tmp_path / pending.NAME).exists()
        assert pending.cut_short(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"organization": "acme"}'])
def test_a_note_that_was_cut_short_itself_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / pending.NAME).write_bytes(content)
    assert pending.cut_short(tmp_path) is None

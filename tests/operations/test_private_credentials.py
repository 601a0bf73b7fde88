"""The credentials file of one command: its content, its mode, and its removal after a kill."""

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

from conda_token_plugin.integrations.target import Grant
from conda_token_plugin.operations.private_credentials import VARIABLE, private_credentials
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUE = "a-token-0123456789"
KILLED = """
import os, subprocess, sys
from conda_token_plugin.operations.private_credentials import private_credentials
from tests.operations.test_private_credentials import grant
from conda_token_plugin.settings import Settings
with private_credentials([grant()], settings=Settings(), notice=print) as file:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=0, pass_fds=file.descriptors)
    print(file.variables["RATTLER_AUTH_FILE"], child.pid, flush=True)
    child.wait()
"""


def grant(organization: str = "acme", **facts: object) -> Grant:
    """Return a token of an organization at one host, with its secret."""
    scope = (f"https://repo.example/{organization}",)
    token = Token(organization=organization, kind=TokenKind.SITE, scope=scope)
    return Grant(token=token._replace(**facts), secret=Secret(VALUE))  # type: ignore[arg-type]  # any fields


@pytest.fixture
def settings(empty_home: Path) -> Settings:
    """Return the settings of a sealed home."""
    assert empty_home.is_dir()
    return Settings()


def test_file_contains_the_credential_and_only_the_user_may_enter_its_folder(
    settings: Settings,
) -> None:
    with private_credentials([grant()], settings=settings, notice=print) as file:
        path = Path(file.variables[VARIABLE])
        content, mode = json.loads(path.read_text()), path.parent.stat().st_mode & 0o777

    assert content == {"repo.example": {"CondaToken": VALUE}}
    assert mode == 0o700
    assert not path.parent.exists()


def test_entries_of_the_users_own_file_are_copied_and_its_file_is_unchanged(
    settings: Settings, tmp_path: Path
) -> None:
    own = tmp_path / "own.json"
    own.write_text('{"other.example": {"BearerToken": "theirs"}}')
    before = own.read_text()
    variables = {**settings.variables, VARIABLE: str(own)}

    with private_credentials([grant()], settings=Settings(variables), notice=print) as file:
        content = json.loads(Path(file.variables[VARIABLE]).read_text())

    assert content.keys() == {"other.example", "repo.example"}
    assert own.read_text() == before


def test_two_tokens_for_one_host_are_left_out_and_named_in_one_line(settings: Settings) -> None:
    notices: list[str] = []

    with private_credentials(
        [grant(), grant("globex")], settings=settings, notice=notices.append
    ) as file:
        assert file.variables == {}

    assert len(notices) == 1
    assert "acme" in notices[0]
    assert "globex" in notices[0]
    assert "repo.example" in notices[0]


def test_token_that_rattler_cannot_send_is_left_out_with_the_reason(settings: Settings) -> None:
    notices: list[str] = []
    inside = grant(scheme=AuthScheme.PATH, path_before="/api")

    with private_credentials([inside], settings=settings, notice=notices.append) as file:
        assert file.variables == {}

    assert "rattler cannot send it" in notices[0]


@pytest.mark.parametrize("failing", ["mkdtemp", "subprocess.Popen"])
def test_file_that_cannot_be_made_is_reported_and_leaves_nothing(
    failing: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    module = "conda_token_plugin.operations.private_credentials"
    monkeypatch.setattr(f"{module}._memory", lambda _: str(tmp_path))
    monkeypatch.setattr(f"{module}.{failing}", refuse)
    notices: list[str] = []

    with private_credentials([grant()], settings=settings, notice=notices.append) as file:
        assert file == ({}, ())

    assert len(notices) == 1
    assert "RATTLER_AUTH_FILE is not set" in notices[0]
    assert "No space left on device" in notices[0]
    assert not list(tmp_path.glob("conda-token-*"))


@pytest.fixture
def killed(settings: Settings) -> Iterator[tuple[Path, int]]:
    """Kill the process that has made the file; return the file and the command's process."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED], stdin=reading, stdout=subprocess.PIPE, text=True
    )
    os.close(reading)
    assert process.stdout is not None
    name, pid = process.stdout.readline().split()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    yield Path(name), int(pid)
    os.close(writing)
    assert settings.home.is_dir()


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_file_is_removed_after_a_kill_when_the_command_has_ended(killed: tuple[Path, int]) -> None:
    path, pid = killed
    assert path.exists(), "the command still runs"

    os.kill(pid, signal.SIGKILL)

    while path.parent.exists():  # until the time limit of the test
        time.sleep(0.02)

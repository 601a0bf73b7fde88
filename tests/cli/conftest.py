"""The command line against a sandbox: what is typed, and what is printed."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

from conda_token_plugin.cli import main
from conda_token_plugin.sandbox.http.messages import Ending
from conda_token_plugin.settings import API_KEY, Settings
from tests.support.json_documents import validate
from tests.support.machine import Ran

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox
    from conda_token_plugin.sandbox.world.model import Token
    from tests.support.terminal import Terminal


SERVICE_FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 429, "headers": (("Retry-After", "7"),)},
    {"status": 500},
    {"status": 502, "body": b"<html>"},
    {"ending": Ending.RESET},
    {"status": 0, "ending": Ending.HALF},
    {"status": 200, "body": b"<html>"},
    {"status": 200, "body": b"{}"},
)
"""Faults of the service, for which every command ends with exit code 5."""


class Shell:
    """Runs commands as one user of the sandbox."""

    def __init__(
        self,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        home: Path,
    ) -> None:
        self.sandbox, self.home = sandbox, home
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setenv("CONDA_TOKEN_SERVICE_URL", sandbox.service)
        monkeypatch.setenv("CONDA_TOKEN_REPO_URL", sandbox.repo)
        monkeypatch.setenv("CONDA_TOKEN_STORE", "file")
        monkeypatch.chdir(home)
        self.log_in("ada")

    def log_in(self, user: str) -> None:
        self.set("ANACONDA_AUTH_API_KEY", self.sandbox.world.api_key(user))

    def set(self, name: str, value: str) -> None:
        self._monkeypatch.setenv(name, value)

    def unset(self, name: str) -> None:
        self._monkeypatch.delenv(name)

    def __call__(self, *words: str) -> Ran:
        self._capsys.readouterr()
        code = main(words, prog="conda-token-plugin")
        printed = self._capsys.readouterr()
        validate(words, out=printed.out)
        return Ran(argv=words, code=code, out=printed.out, err=printed.err)

    def install(self, organization: str, *words: str) -> Ran:
        """Issue a token and store it. The command must succeed."""
        return self("install", "--org", organization, "--yes", *words).well()

    def held(self, command: str = "list") -> list[dict[str, Any]]:
        """Return the tokens that a command prints. The API key of the shell is not one of them."""
        return [one for one in self(command, "--json").json if one["kind"] != "api-key"]

    @property
    def dropin(self) -> str:
        """Return the content of the file that the plugin writes for conda; empty without one."""
        path = Settings().condarc
        return path.read_text("utf-8") if path.exists() else ""

    def write(self, name: str | Path, content: str) -> Path:
        """Write a file below the home, or at an absolute path, and return its path."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
        return path

    def at_terminal(self, *words: str, **variables: str) -> Terminal:
        """Start a command on a pseudo-terminal, with the variables of the shell."""
        from tests.support.terminal import Terminal  # skips its importer on Windows

        return Terminal(*words, environment={**os.environ, **variables})

    def url_with(self, value: str, *parts: str) -> str:
        """Return the URL of a channel with a token in its path."""
        return f"{self.sandbox.service}/t/{value}/repo/{'/'.join(parts)}"

    def issued(self, organization: str, user: str = "ada") -> Token:
        """Return the current token of a user, or of the site if `user` is empty."""
        token = self.sandbox.world.current(organization, user)
        assert token is not None
        return token

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Assert that no file below the home differs after the block."""
        before = self.files()
        yield
        assert self.files() == before

    def files(self) -> dict[str, bytes]:
        """Return the content of every file below the home, to compare it later."""
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for path in sorted(self.home.rglob("*"))
            if path.is_file() and not path.name.endswith(".lock")
        }


@pytest.fixture
def shell(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    empty_home: Path,
) -> Shell:
    return Shell(sandbox, monkeypatch, capsys, empty_home)


@pytest.fixture
def acme(shell: Shell) -> Shell:
    """Return a shell with a token of acme that was verified; the record of requests is empty."""
    shell.install("acme")
    shell.sandbox.requests.clear()
    return shell


@pytest.fixture
def two(acme: Shell) -> Shell:
    """Return a shell with tokens of acme and globex."""
    acme.install("globex")
    return acme


@pytest.fixture
def logged_out(shell: Shell) -> Shell:
    """Return a shell without any login."""
    shell.unset(API_KEY)
    return shell


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the addresses that the browser of this machine was sent to and requests."""
    addresses: list[str] = []
    threads: list[threading.Thread] = []

    def visit(address: str) -> bool:
        addresses.append(address)
        threads.append(
            threading.Thread(target=requests.get, args=(address,), kwargs={"timeout": 5})
        )
        threads[-1].start()
        return True

    monkeypatch.setattr("webbrowser.open", visit)
    yield addresses
    for thread in threads:
        thread.join()

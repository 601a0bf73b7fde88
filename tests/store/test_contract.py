"""The contract, run on every backend."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import Settings, token_variable
from conda_token_plugin.store import Store, keyring_probe
from tests.store import keyrings, made, session
from tests.store.contract import Box, ReadingContract, StoreContract

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conda_token_plugin.store.keyring_probe import ProbeReport
    from conda_token_plugin.tokens.secret import Secret


@cache
def found(backend: str, *, explicit: bool) -> ProbeReport:
    """What the real probe finds; it takes a third of a second."""
    finding = keyring_probe.probe(explicit=explicit)
    assert finding.answer is keyring_probe.ProbeAnswer.WORKING, (backend, finding)
    return finding


def probed_once(monkeypatch: pytest.MonkeyPatch, *, explicit: bool) -> None:
    """Probe for all the tests of a backend together."""
    finding = found(os.environ.get("PYTHON_KEYRING_BACKEND", ""), explicit=explicit)
    monkeypatch.setattr(keyring_probe, "probe", lambda **_: finding)


class TestFile(StoreContract):
    @pytest.fixture
    def opened(self, tmp_path: Path) -> Callable[[], Store]:
        return lambda: Store(tmp_path / "store", choice="file")

    def entries(self, store: Store) -> set[str]:
        return made.files(store.folder)


class TestMachine(StoreContract):
    @pytest.fixture
    def opened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Store]:
        monkeypatch.setenv("TEST_MACHINE", "yes")
        return lambda: Store(tmp_path / "store", machine=True)

    def entries(self, store: Store) -> set[str]:
        return made.files(store.folder)


class TestKeyringOfThirdParties(StoreContract):
    @pytest.fixture
    def opened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Store]:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{keyrings.NAME}Small")
        monkeypatch.setenv("TEST_CHOICE", "keyring")
        probed_once(monkeypatch, explicit=True)
        return lambda: Store(tmp_path / "store", choice="keyring")

    def entries(self, store: Store) -> set[str]:
        del store
        return {f"{user})" for user in keyrings.users()}


class TestSecretService(StoreContract):
    @pytest.fixture
    def opened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret_service: session.Session
    ) -> Callable[[], Store]:
        secret_service.enter(monkeypatch)
        secret_service.clear()
        monkeypatch.setenv("TEST_CHOICE", "auto")
        probed_once(monkeypatch, explicit=False)
        return lambda: Store(tmp_path / "store", choice="auto")

    def entries(self, store: Store) -> set[str]:
        del store
        return session.users()


class TestEnvironment(ReadingContract):
    @pytest.fixture
    def box(self) -> Box:
        return EnvironmentBox()


class EnvironmentBox:
    """The environment, which is read only: a token is put in by setting a variable."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}

    def put(self, organization: str, text: str) -> None:
        self.variables[token_variable(organization)] = text

    def get(self, organization: str) -> Secret | None:
        found = Settings(self.variables).repository_token(token_variable(organization))
        return found and found[1]


class FilesOfTheEnvironment(EnvironmentBox):
    """The same by ``<NAME>_FILE``."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def put(self, organization: str, text: str) -> None:
        path = self.folder / str(len(self.variables))
        path.write_text(f"{text}\n")
        self.variables[f"{token_variable(organization)}_FILE"] = str(path)


class TestFilesThatTheEnvironmentNames(ReadingContract):
    @pytest.fixture
    def box(self, tmp_path: Path) -> Box:
        return FilesOfTheEnvironment(tmp_path)


class TestSecretsMountedIntoAContainer(ReadingContract):
    @pytest.fixture
    def box(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
        monkeypatch.setattr("conda_token_plugin.settings.RUN_SECRETS", tmp_path)
        return Mounted(tmp_path)


class Mounted(EnvironmentBox):
    """The same by ``/run/secrets``."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def put(self, organization: str, text: str) -> None:
        (self.folder / token_variable(organization).lower()).write_text(text)

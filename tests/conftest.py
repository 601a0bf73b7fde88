"""The sealed room: no real HOME, no variable of ours or conda's, no network but loopback."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import socket_allow_hosts

from conda_token_plugin.sandbox import Sandbox
from tests.support.machine import Machine
from tests.support.person import Person

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOOPBACK = ["127.0.0.1", "::1", "localhost"]
FOREIGN = ("CONDA", "ANACONDA", "_CONDA", "XDG_", "RATTLER_", "MAMBA", "PIXI_", "NETRC")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


# Timing decides nothing: machines are slow, and have other work.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a conda, for a stated reason, where none can be imported."""
    if find_spec("conda") is not None:
        return
    reason = pytest.mark.skip(reason="no conda can be imported here: see CONTRIBUTING.md")
    for item in items:
        if item.get_closest_marker("conda"):
            item.add_marker(reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many of the tests that need a conda did run."""
    ran = {
        report.nodeid
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if "conda" in getattr(report, "keywords", {})
    }
    terminalreporter.write_line(f"conda tests run: {len(ran)}")


@pytest.fixture(autouse=True)
def sealed_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, and no way out of this machine."""
    for name in list(os.environ):
        if name.upper().startswith(FOREIGN) or name.lower() in PROXIES:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    # A keyring daemon of the session must never be reached by accident.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)
    return home


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the first sandbox of the session builds its channels in."""
    return tmp_path_factory.mktemp("packages")


@pytest.fixture
def sandbox(packages: Path) -> Iterator[Sandbox]:
    """A sandbox in its first state."""
    with Sandbox.start(packages=packages) as running:
        yield running


@pytest.fixture
def person(tmp_path: Path, sandbox: Sandbox) -> Person:
    return Person(Machine(tmp_path / "machine", sandbox))


@pytest.fixture
def files_of_sandbox(packages: Path, sandbox: Sandbox) -> Path:
    """The channels as files, for a server of another kind."""
    assert sandbox.repo
    return packages / "channels"

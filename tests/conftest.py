"""Isolation of every test: a home of its own, no variables of the user, no network but loopback."""

from __future__ import annotations

import os
import signal
from collections import Counter
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import socket_allow_hosts

from conda_token_plugin.sandbox import Sandbox
from tests.support.certificates import Authority
from tests.support.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORKING = ("concurrency", "faults", "kills", "lock", "machine", "modes", "secret_service")
"""The tests of the store that need processes which fork, or groups."""
collect_ignore = [f"store/test_{name}.py" for name in FORKING if os.name == "nt"]
LOOPBACK = ["127.0.0.1", "::1", "localhost"]
FOREIGN = ("CONDA", "ANACONDA", "_CONDA", "XDG_", "RATTLER_", "MAMBA", "PIXI_", "NETRC")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
SIZES = ("COLUMNS", "LINES")
"""The size of the terminal, which pytest-xdist sets. It overrules the terminals of tests."""
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
LONG_LIMIT = 900
"""Seconds for a slow test and for one with a conda. At a load of 40, sixty killed writers to a real
keyring take more than 180: the client, the bus and the daemon wait for each other in turn."""

# No deadline: the speed of the machine must not decide whether a test passes.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")
COUNTED = "counted"
"""Name of the property of a test that has its counts."""
COUNTS = {
    "kills survived": ("kills",),
    "faults injected": ("faults",),
    "bad settings tried x conda commands run": ("bad settings", "conda commands"),
    "hostile strings x verbs": ("hostile strings", "verbs"),
    "fuzz executions": ("executions",),
}
"""The lines about faults in the summary, each with the names of its counts."""


def pytest_configure() -> None:
    """Handle SIGINT, which is ignored if the suite runs as a background job of a script."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that need a conda if none can be imported; give long tests more time."""
    has_conda = find_spec("conda") is not None
    for item in items:
        if item.get_closest_marker("conda") and not has_conda:
            item.add_marker(pytest.mark.skip(reason="no conda can be imported: CONTRIBUTING.md"))
        elif item.get_closest_marker("conda") or item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(LONG_LIMIT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many of the tests that need a conda ran, and what the tests of faults counted."""
    ran = {
        report.nodeid
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        if "conda" in getattr(report, "keywords", {})
    }
    terminalreporter.write_line(f"conda tests run: {len(ran)}")
    counted = _counted(terminalreporter)
    for what, names in COUNTS.items():
        if any(counted[name] for name in names):
            numbers = " x ".join(f"{counted[name]:,}" for name in names)
            terminalreporter.write_line(f"{what}: {numbers}")


def _counted(terminalreporter: pytest.TerminalReporter) -> Counter[str]:
    """Return the sums of all tests, also of those that ran in a worker of pytest-xdist."""
    reports = [one for some in terminalreporter.stats.values() for one in some]
    return sum(
        (
            Counter(value)
            for one in reports
            if getattr(one, "when", "") == "teardown"  # the last report of a test
            for name, value in one.user_properties
            if name == COUNTED
        ),
        Counter(),
    )


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """Yield the counts of this test, with names from `COUNTS`. The summary prints their sums."""
    counted = Counter[str]()
    yield counted
    request.node.user_properties.append((COUNTED, dict(counted)))


@pytest.fixture(autouse=True)
def empty_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Path:
    """Return an empty home folder, after the user's variables are removed."""
    # The tests of packages install from an index, whose certificate may need these variables.
    removed = SIZES if "packaging" in request.path.parts else (*SIZES, *CERTIFICATES)
    for name in list(os.environ):
        if name.upper().startswith(FOREIGN) or name.lower() in PROXIES or name in removed:
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    # The machine's own store and drop-in, in /etc, are never used.
    monkeypatch.setenv("CONDA_TOKEN_SYSTEM_HOME", str(tmp_path / "system" / "store"))
    monkeypatch.setenv("CONDA_TOKEN_SYSTEM_CONDARC", str(tmp_path / "system" / "condarc.yml"))
    # No test may reach the keyring daemon of the user's session.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)
    return home


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the first sandbox of the session builds its channels."""
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return a certificate authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def sandbox(packages: Path) -> Iterator[Sandbox]:
    """Yield a sandbox in its initial state."""
    with Sandbox.start(packages=packages) as running:
        yield running


@pytest.fixture
def other_site(packages: Path) -> Iterator[Sandbox]:
    """Yield a second site: a sandbox with another host name, port and credentials."""
    with Sandbox.start(packages=packages, host="localhost") as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path, sandbox: Sandbox) -> Machine:
    """Return a machine whose settings name the sandbox."""
    return Machine(tmp_path / "machine", sandbox)


@pytest.fixture
def files_of_sandbox(packages: Path, sandbox: Sandbox) -> Path:
    """Return the channels as files, for another kind of server."""
    assert sandbox.repo
    return packages / "channels"

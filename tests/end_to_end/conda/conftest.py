"""A sandbox for the session, a machine for each test, and the table of what the server received."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conda.report import ROW, Table, lines_of
from tests.support.machine import Machine

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox
    from tests.support.certificates import Authority


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print every operation and kind of channel with what the server received."""
    reports = [one for kept in terminalreporter.stats.values() for one in kept]
    properties = [pair for one in reports for pair in getattr(one, "user_properties", ())]
    lines = lines_of(row for name, row in properties if name == ROW)
    if lines:
        terminalreporter.section("what the server received")
    for line in lines:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def built_channels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the packages of all sandboxes, which are built once."""
    return tmp_path_factory.mktemp("channels")


@pytest.fixture(scope="session")
def shared_sandbox(built_channels: Path) -> Iterator[Sandbox]:
    """Yield a sandbox for all tests that do not change its clock."""
    with sandbox_on(built_channels) as running:
        yield running


@contextmanager
def sandbox_on(packages: Path, *, tls: ssl.SSLContext | None = None) -> Iterator[Sandbox]:
    """Yield a new sandbox that serves packages built before, over https if ``tls`` is given."""
    from conda_token_plugin.sandbox import Sandbox

    with Sandbox.start(packages=packages, tls=tls) as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """Return the shared sandbox, after its record and its faults are cleared."""
    shared_sandbox.requests.clear()
    shared_sandbox.faults.replace([])
    return shared_sandbox


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Table:
    """Return the rows of this test for the table at the end of the run."""
    return Table(request.node.user_properties)


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    """Return the TLS context of the sandbox of ``secure``."""
    return authority.server()


@pytest.fixture
def secure(tmp_path: Path, built_channels: Path, tls: ssl.SSLContext) -> Iterator[Machine]:
    """Yield a machine, and a sandbox that is served over https."""
    with sandbox_on(built_channels, tls=tls) as sandbox:
        yield Machine(tmp_path / "secure", sandbox)

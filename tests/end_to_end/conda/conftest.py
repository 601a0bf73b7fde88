"""A sandbox for the session, a machine for each test, and the table of what the server saw."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.conda.host import solver_missing
from tests.end_to_end.conda.report import Table
from tests.support.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox

TABLE = pytest.StashKey[Table]()


def pytest_configure(config: pytest.Config) -> None:
    """Lay out an empty table."""
    config.stash[TABLE] = Table()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print every path and kind of channel with what the server saw."""
    lines = config.stash[TABLE].lines()
    if lines:
        terminalreporter.section("what the server saw")
    for line in lines:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def built_channels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox's packages, built once."""
    return tmp_path_factory.mktemp("channels")


@pytest.fixture(scope="session")
def shared_sandbox(built_channels: Path) -> Iterator[Sandbox]:
    """The service and its repository, for all tests that do not change its clock."""
    with sandbox_on(built_channels) as running:
        yield running


@contextmanager
def sandbox_on(packages: Path) -> Iterator[Sandbox]:
    """A sandbox of one's own, that serves packages built before."""
    from conda_token_plugin.sandbox import Sandbox

    with Sandbox.start(packages=packages) as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    """The shared sandbox, its record empty."""
    shared_sandbox.requests.clear()
    return shared_sandbox


@pytest.fixture
def own_sandbox(built_channels: Path) -> Iterator[Sandbox]:
    """A sandbox whose clock and subscriptions a test may change."""
    with sandbox_on(built_channels) as running:
        yield running


@pytest.fixture
def machine(tmp_path: Path, sandbox: Sandbox) -> Machine:
    """A machine whose settings point to the shared sandbox."""
    return Machine(tmp_path / "machine", sandbox)


@pytest.fixture(params=["classic", "rattler"])
def solver(request: pytest.FixtureRequest) -> str:
    """Each of conda's solvers that works with this conda."""
    reason = solver_missing(request.param)
    if reason:
        pytest.skip(reason)
    return str(request.param)


@pytest.fixture(scope="session")
def table(request: pytest.FixtureRequest) -> Table:
    """Where a test writes down what the server saw."""
    return request.config.stash[TABLE]

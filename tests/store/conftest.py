"""A real Secret Service for the session, and the numbers of the test report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import keyrings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NUMBERS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the list of the report."""
    config.stash[NUMBERS] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the numbers of the fault tests."""
    lines = config.stash[NUMBERS]
    if lines:
        terminalreporter.section("faults injected into the store")
    for line in sorted(lines):
        terminalreporter.write_line(line)


@pytest.fixture
def report(
    request: pytest.FixtureRequest, record_testsuite_property: Callable[[str, object], None]
) -> Callable[[str], None]:
    """Return a function that adds a line to the summary and to the XML report."""

    def take(line: str) -> None:
        request.config.stash[NUMBERS].append(line)
        record_testsuite_property(request.node.name, line)

    return take


@pytest.fixture(scope="session")
def secret_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[keyrings.Session]:
    """Return one unlocked keyring for all tests that do not lock it."""
    if keyrings.MISSING:
        pytest.skip(keyrings.MISSING)
    with keyrings.unlocked(tmp_path_factory.mktemp("session")) as running:
        yield running

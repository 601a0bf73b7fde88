"""A real Secret Service for the session, and the numbers of the test report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import keyrings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NUMBERS = "numbers"
"""Name of the property of a test that has a line for the summary."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the numbers of the fault tests, also of those in a worker of pytest-xdist."""
    reports = [one for some in terminalreporter.stats.values() for one in some]
    lines = {
        value
        for one in reports
        for name, value in getattr(one, "user_properties", ())
        if name == NUMBERS
    }
    if lines:
        terminalreporter.section("faults injected into the store")
    for line in sorted(lines):
        terminalreporter.write_line(line)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that adds a line to the summary and to the XML report."""

    def take(line: str) -> None:
        request.node.user_properties.append((NUMBERS, line))

    return take


@pytest.fixture(scope="session")
def secret_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[keyrings.Session]:
    """Return one unlocked keyring for all tests that do not lock it."""
    if keyrings.MISSING:
        pytest.skip(keyrings.MISSING)
    with keyrings.unlocked(tmp_path_factory.mktemp("session")) as running:
        yield running

"""One set of packages for the session, a fresh sandbox for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the first sandbox builds its channels in."""
    return tmp_path_factory.mktemp("packages")


@pytest.fixture
def sandbox(packages: Path) -> Iterator[Sandbox]:
    """A sandbox in its first state."""
    with Sandbox.start(packages=packages) as running:
        yield running

"""A sandbox for each test, and a login of one of its users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.sandbox import Sandbox
from conda_token_plugin.secret import Secret
from conda_token_plugin.service.client import Service
from conda_token_plugin.service.http import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHORT = Patience(connect=2.0, read=0.3, again=1)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the first sandbox builds its channels in."""
    return tmp_path_factory.mktemp("packages")


@pytest.fixture
def sandbox(packages: Path) -> Iterator[Sandbox]:
    """A sandbox in its first state."""
    with Sandbox.start(packages=packages) as running:
        yield running


@pytest.fixture
def login_of(sandbox: Sandbox) -> Callable[[str], Service]:
    """The login of a user of the sandbox."""

    def login(user: str) -> Service:
        key = Secret(sandbox.world.api_key(user))
        return Service(
            sandbox.service,
            api_key=key,
            source="the test",
            patience=SHORT,
            clock=sandbox.clock.now,
        )

    return login


@pytest.fixture
def ada(login_of: Callable[[str], Service]) -> Service:
    """The login of somebody with seats in two organizations."""
    return login_of("ada")

"""Logins of the sandbox's users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.gateways.http.client import Timeouts
from conda_token_plugin.service.client import Service
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.sandbox import Sandbox

SHORT = Timeouts(connect=2.0, read=0.3, again=1)


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

"""Logins of the sandbox's users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.errors.service import (
    ResponseLost,
    ServiceBusy,
    ServiceFault,
    UnexpectedResponse,
)
from conda_token_plugin.gateways.clock import Clock
from conda_token_plugin.gateways.http.client import Timeouts
from conda_token_plugin.sandbox.http.messages import Ending
from conda_token_plugin.service.client import Service
from conda_token_plugin.service.refusals import explained
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.sandbox import Sandbox
    from conda_token_plugin.service.models import CurrentToken, IssuedToken

SHORT = Timeouts(connect=2.0, read=2.0, retries=1)
FAULTS: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"status": 500}, ServiceFault),
    ({"status": 502, "body": b"<html>"}, ServiceFault),
    ({"status": 429}, ServiceBusy),
    ({"ending": Ending.RESET}, ResponseLost),
    ({"ending": Ending.STALL}, ResponseLost),
    ({"status": 0, "ending": Ending.HALF}, UnexpectedResponse),
    ({"status": 200, "body": b"<html>"}, UnexpectedResponse),
]
"""Faults of any request to the service, and the error of each."""


class ExplainedService(Service):
    """A service whose refusals are explained, as the use cases do it."""

    sandbox: Sandbox

    def issue(self, organization: str) -> IssuedToken:
        with explained(self, clock=Clock(self.sandbox.clock.now())):
            return super().issue(organization)

    def current_token(self, organization: str) -> CurrentToken | None:
        with explained(self, clock=Clock(self.sandbox.clock.now())):
            return super().current_token(organization)


@pytest.fixture
def login_of(sandbox: Sandbox) -> Callable[[str], Service]:
    """Return the login of a user of the sandbox."""

    def login(user: str) -> Service:
        key = Secret(sandbox.world.api_key(user))
        service = ExplainedService(sandbox.service, api_key=key, source="the test", timeouts=SHORT)
        service.sandbox = sandbox
        return service

    return login


@pytest.fixture
def ada(login_of: Callable[[str], Service]) -> Service:
    """Return the login of a user with seats in two organizations."""
    return login_of("ada")

"""Readers of responses of the service and the repository, and of the callback of a browser.

The first byte chooses status and type of a response. The rest is its body, and the ``Location`` of
a redirect.
"""

from __future__ import annotations

from contextlib import suppress
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.gateways.http.response import HttpResponse
from conda_token_plugin.operations.verify_token import verify
from conda_token_plugin.service.admin import Admin
from conda_token_plugin.service.client import Service
from conda_token_plugin.service.error_responses import reason_of
from conda_token_plugin.service.login.browser import BrowserLogin
from conda_token_plugin.service.login.device import DeviceLogin
from conda_token_plugin.service.login.flow import Login
from conda_token_plugin.service.login.oauth import Endpoints, discover
from conda_token_plugin.tokens.secret import Secret
from tests.properties.reading import checked
from tests.properties.samples import TOKEN, URL, VALUE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.properties.reading import Read

STATUSES = (200, 201, 204, 302, 400, 401, 403, 404, 409, 422)
KINDS = ("application/json", "text/html", "")
ENDPOINTS = Endpoints(authorization=URL, token=URL, device=URL)


class Wire:
    """Sends nothing, and returns the same response to every request."""

    def __init__(self, data: bytes) -> None:
        """Make the response from ``data``."""
        status, kind = STATUSES[data[0] % len(STATUSES)], KINDS[data[0] // 16 % len(KINDS)]
        headers = {"Content-Type": kind}
        if status // 100 == 3:
            headers["Location"] = data[1:].decode("latin-1")
        self.answer = HttpResponse(url=f"{URL}/x", status=status, headers=headers, body=data[1:])

    def send(self, *_: Any, **__: Any) -> HttpResponse:
        """Return the response, as ``Http.send`` does."""
        return self.answer


def answered(ask: Callable[[Wire], object]) -> Read:
    """Return a reader that calls ``ask`` with a ``Wire``."""
    return lambda data, _home: checked(lambda: ask(Wire(data or b"\0")))


def service(wire: Wire) -> Service:
    """Return a login at a service that sends the response of ``wire``."""
    made = Service(URL, api_key=Secret("key"), source="here")
    made._http = wire  # type: ignore[assignment]  # only its ``send`` is used
    return made


def every_question(wire: Wire) -> None:
    """Call each method of a service."""
    asked = service(wire)
    for ask in (
        asked.organizations,
        asked.issuable,
        asked.subscribed,
        asked.whoami,
        lambda: asked.current_token("acme"),
        lambda: asked.issue("acme"),
    ):
        checked(ask)


def admin(wire: Wire) -> None:
    """Extend a token, and list the members' tokens."""
    made = Admin(URL, bearer=Secret("bearer"), source="here")
    made._http = wire  # type: ignore[assignment]  # only its ``send`` is used
    checked(lambda: made.extend("acme", user_id="one", tolerance_months=1))
    checked(lambda: list(made.members("acme")))


def login(wire: Wire) -> None:
    """Run discovery, a device login, and the exchange for an API key."""
    clock = iter(range(0, 10_000, 100))
    device = DeviceLogin(
        wire,  # type: ignore[arg-type]  # a double  # only its ``send`` is used
        ENDPOINTS,
        client_id="client",
        sleep=lambda _: None,
        clock=lambda: float(next(clock)),
    )
    checked(lambda: discover(wire, URL))  # type: ignore[arg-type]  # a double  # as above
    checked(lambda: device.access_token(show=lambda _: None))
    with suppress(TokenPluginError):
        device._poll(device._begin(), deadline=2_000.0)
    made = Login(URL, client_id="client", sleep=lambda _: None, clock=lambda: 0.0)
    checked(lambda: made._api_key(wire, access_token=Secret("access")))  # type: ignore[arg-type]  # a double  # as above


def proof(wire: Wire) -> object:
    """Verify a token."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("conda_token_plugin.service.repository.Http", lambda **_: wire)
        return verify(TOKEN.scope, token=TOKEN, secret=Secret(VALUE))


def words(wire: Wire) -> None:
    """Read the texts about a response that messages quote."""
    for say in (
        lambda: wire.answer.description,
        lambda: wire.answer.redirect_target,
        wire.answer.json,
    ):
        checked(say)
    reason = reason_of(wire.answer)
    assert reason.isprintable()


def came_back(data: bytes, _home: Path) -> None:
    """Read the path that a browser requests from the server of the login."""
    waiting = BrowserLogin(Wire(b"\0"), ENDPOINTS, client_id="client")  # type: ignore[arg-type]  # a double
    waiting._state = "state"
    waiting._page_for(data.decode("latin-1"), outcomes=Queue())

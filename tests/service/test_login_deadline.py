"""A login at a service that sends its answers byte by byte ends at the deadline of a request."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.gateways.http.client import Timeouts
from conda_token_plugin.service.login.flow import API_KEYS, Login
from conda_token_plugin.service.login.oauth import DISCOVERY
from tests.support.servers import answering

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

SHORT = Timeouts(connect=2.0, read=5.0, retries=0, total=2.0)
LONG = Timeouts(connect=60.0, read=60.0, retries=0, total=60.0)
"""Longer than any answer takes on a busy machine."""
STEPS = (DISCOVERY, "/device", "/token", API_KEYS[0])
"""The requests of a login with a code, in their order."""


@contextmanager
def service_dripping_at(step: str) -> Iterator[tuple[str, list[str]]]:
    """Run a service; yield its address and the paths of the requests that it received."""
    asked: list[str] = []

    def serve(connection: socket.socket) -> None:
        path = connection.recv(65536).split(b" ")[1].decode()
        asked.append(path)
        head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"
        if path == step:
            connection.sendall(f"{head}Content-Length: 9999\r\n\r\n".encode())
            while True:
                connection.sendall(b" ")
                time.sleep(0.1)
        address = f"http://127.0.0.1:{connection.getsockname()[1]}"
        body = json.dumps(
            {
                "authorization_endpoint": f"{address}/authorize",
                "device_authorization_endpoint": f"{address}/device",
                "token_endpoint": f"{address}/token",
                "device_code": "a-device-code",
                "user_code": "ABCD",
                "verification_uri": f"{address}/verify",
                "expires_in": 8,
                "interval": 5,
                "access_token": "an-access-token-0123456789",
                "token_type": "Bearer",
                "api_key": "an-api-key-0123456789",
            }
        )
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    with answering(serve) as address:
        yield f"http://{address}", asked


class Clock:
    """A clock that advances only during ``sleep``."""

    def __init__(self) -> None:
        self.passed = 0.0

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def clock(self) -> float:
        return self.passed


def login_at(address: str, timeouts: Timeouts) -> Login:
    clock = Clock()
    return Login(
        address, client_id="client", timeouts=timeouts, sleep=clock.sleep, clock=clock.clock
    )


@pytest.mark.parametrize("step", STEPS)
def test_login_ends_with_an_error_when_an_answer_comes_byte_by_byte(step: str) -> None:
    with service_dripping_at(step) as (address, asked), pytest.raises(TokenPluginError):
        login_at(address, SHORT).by_device(show=lambda _: None)
    assert step in asked


def test_login_succeeds_at_the_same_service_when_no_answer_is_slow() -> None:
    with service_dripping_at("none") as (address, asked):
        key = login_at(address, LONG).by_device(show=lambda _: None)
    assert key.reveal() == "an-api-key-0123456789"
    assert asked == list(STEPS)

"""Every request ends at its deadline, and a write is sent at most once."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.errors.service import IssueUncertain, ResponseLost
from conda_token_plugin.gateways.bounded import DeadlineExceeded, bounded
from conda_token_plugin.gateways.http.client import Http, Timeouts
from conda_token_plugin.service.client import Service
from conda_token_plugin.tokens.secret import Secret
from tests.support.servers import answering

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.servers import RecordingServer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n"
SHORT = Timeouts(connect=2.0, read=5.0, retries=2, total=0.6)
LONG = Timeouts(connect=60.0, read=60.0, retries=2, total=60.0)
"""Longer than any answer takes on a busy machine."""


def dripping(start: bytes) -> Callable[[socket.socket], None]:
    """Send ``start``, and then a byte every tenth of a second, for ever."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(start)
        while True:
            connection.sendall(b" ")
            time.sleep(0.1)

    return serve


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("start", [HEAD, b"HTTP/1.1 200 OK\r\nX-Slow: "], ids=["body", "head"])
def test_server_that_sends_byte_by_byte_is_given_up_at_the_deadline(
    method: str, start: bytes
) -> None:
    with (
        answering(dripping(start)) as address,
        pytest.raises(ResponseLost, match=r"no complete response within 0\.6 seconds"),
    ):
        Http(timeouts=SHORT).send(method, f"http://{address}/api")


def test_request_after_one_that_was_given_up_uses_a_connection_of_its_own() -> None:
    served = list[int]()

    def serve(connection: socket.socket) -> None:
        served.append(1)
        if len(served) == 1:
            dripping(HEAD)(connection)
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with answering(serve) as address:
        http = Http(timeouts=SHORT)
        with pytest.raises(ResponseLost):
            http.send("GET", f"http://{address}/api")
        http._given = LONG
        assert http.send("GET", f"http://{address}/api").json() == {}


def test_issue_that_reaches_its_deadline_is_uncertain() -> None:
    with answering(dripping(HEAD)) as address:
        service = Service(
            f"http://{address}", api_key=Secret("k" * 20), source="a test", timeouts=SHORT
        )
        with pytest.raises(IssueUncertain, match="sent no response"):
            service.issue("acme")


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_request_that_was_given_up_is_not_sent_when_its_name_is_resolved_later(
    recorder: RecordingServer, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    resolved = threading.Event()
    resolve = socket.getaddrinfo

    def slow(*args: Any, **kwargs: Any) -> Any:
        resolved.wait(30)
        return resolve(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    before = set(threading.enumerate())
    with pytest.raises(ResponseLost):
        Http(timeouts=SHORT).send(method, f"{recorder.url}/api")
    abandoned = [one for one in threading.enumerate() if one not in before]
    resolved.set()
    for thread in abandoned:
        thread.join(30)
    assert abandoned
    assert recorder.requests == []


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_put_is_sent_once_when_the_connection_ends_without_an_answer(reset: bool) -> None:  # noqa: FBT001  # a parameter of the test
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        requests.append(connection.recv(65536))
        if reset:
            linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    with answering(serve) as address:
        service = Service(
            f"http://{address}",
            api_key=Secret("k" * 20),
            source="a test",
            timeouts=Timeouts(connect=2.0, read=2.0, retries=3),
        )
        with pytest.raises(IssueUncertain):
            service.issue("acme")
    assert [one.split(b" ")[0] for one in requests] == [b"PUT"]


def test_bounded_call_returns_the_result_or_raises_the_error() -> None:
    def fail() -> None:
        raise KeyError("x")

    assert bounded(lambda: 5, seconds=5) == 5
    with pytest.raises(KeyError):
        bounded(fail, seconds=5)


def test_bounded_call_that_hangs_is_abandoned() -> None:
    never = threading.Event()
    with pytest.raises(DeadlineExceeded):
        bounded(never.wait, seconds=0.05)
    never.set()


WAITING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from conda_token_plugin.gateways.http.client import Http
print("ready", flush=True)
Http().send("PUT", sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no such signal to a child")
def test_interrupt_ends_the_wait_for_a_dripping_server_at_once() -> None:
    arrived = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        arrived.set()
        dripping(HEAD)(connection)

    with answering(serve) as address:
        command = [sys.executable, "-c", WAITING, f"http://{address}"]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as child:
            assert arrived.wait(60)
            child.send_signal(signal.SIGINT)
            _, errors = child.communicate(timeout=15)
    assert b"KeyboardInterrupt" in errors
    assert child.returncode != 0

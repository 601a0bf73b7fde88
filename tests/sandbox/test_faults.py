"""Everything that can go wrong on the way, over real sockets."""

from __future__ import annotations

import http.client
import json
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest
import requests

from conda_token_plugin.sandbox import Sandbox
from conda_token_plugin.sandbox.http.faults import Fault
from conda_token_plugin.sandbox.http.messages import Ending

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "/api/account"
TOKEN = "/api/organizations/acme/ce/current-token"


def get(sandbox: Sandbox, path: str = ACCOUNT, *, timeout: float = 10) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.world.api_key('ada')}"}
    return requests.get(sandbox.service + path, headers=headers, timeout=(10, timeout))


def issue(sandbox: Sandbox) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.world.api_key('ada')}"}
    body = {"confirm": "yes"}
    return requests.put(sandbox.service + TOKEN, json=body, headers=headers, timeout=10)


def test_fault_with_a_status_body_and_header_is_sent_as_often_as_given(sandbox: Sandbox) -> None:
    says = {"body": b'{"token": "abc', "headers": (("Retry-After", "7"),)}
    sandbox.fail_next(ACCOUNT, status=429, times=2, **says)
    answers = [get(sandbox) for _ in range(3)]
    assert [a.status_code for a in answers] == [429, 429, 200]
    assert (answers[0].text, answers[0].headers["Retry-After"]) == ('{"token": "abc', "7")


def test_half_ending_closes_the_connection_within_the_body(sandbox: Sandbox) -> None:
    sandbox.fail_next(ACCOUNT, status=0, ending=Ending.HALF)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        get(sandbox)
    assert get(sandbox).status_code == 200


def test_reset_ending_resets_the_connection(sandbox: Sandbox) -> None:
    sandbox.fail_next(ACCOUNT, ending=Ending.RESET)
    port = int(sandbox.service.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /api/account HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_stall_ending_sends_nothing(sandbox: Sandbox) -> None:
    sandbox.fail_next(ACCOUNT, ending=Ending.STALL)
    with pytest.raises(requests.exceptions.ReadTimeout):
        get(sandbox, timeout=0.2)
    assert get(sandbox).status_code == 200


def test_delayed_response_is_sent_after_the_delay(sandbox: Sandbox) -> None:
    sandbox.fail_next(ACCOUNT, status=0, delay=0.1)
    answer = get(sandbox)
    assert answer.status_code == 200
    assert answer.elapsed.total_seconds() >= 0.1


def test_stop_does_not_wait_for_stalled_or_delayed_responses(packages: Path) -> None:
    with Sandbox.start(packages=packages) as sandbox:
        sandbox.fail_next(ACCOUNT, ending=Ending.STALL)
        sandbox.fail_next(TOKEN, delay=3600)
        for path in (ACCOUNT, TOKEN):
            with pytest.raises(requests.exceptions.ReadTimeout):
                get(sandbox, path, timeout=0.1)
    # Coming here is the test: the end of the block joins all threads.


@pytest.mark.parametrize("ending", [Ending.RESET, Ending.HALF])
def test_status_zero_issues_the_token_and_loses_the_response(
    sandbox: Sandbox, ending: Ending
) -> None:
    sandbox.fail_next(TOKEN, method="PUT", status=0, ending=ending)
    with pytest.raises(requests.exceptions.RequestException):
        issue(sandbox)
    assert sandbox.world.current("acme", "ada") is not None


def test_fault_with_a_status_changes_nothing(sandbox: Sandbox) -> None:
    sandbox.fail_next(TOKEN, method="PUT", ending=Ending.RESET)
    with pytest.raises(requests.exceptions.ConnectionError):
        issue(sandbox)
    assert sandbox.world.current("acme", "ada") is None


def test_fault_applies_to_its_method_and_path_only(sandbox: Sandbox) -> None:
    sandbox.fail_next(TOKEN, method="PUT", status=500)
    assert get(sandbox).status_code == 200
    assert get(sandbox, TOKEN).status_code == 404
    assert issue(sandbox).status_code == 500


def test_faults_are_used_in_the_order_in_which_they_were_added(sandbox: Sandbox) -> None:
    for status in (500, 502, 503):
        sandbox.fail_next(ACCOUNT, status=status)
    assert [get(sandbox).status_code for _ in range(4)] == [500, 502, 503, 200]


def test_request_with_a_fault_is_recorded_with_its_status(sandbox: Sandbox) -> None:
    sandbox.fail_next(ACCOUNT, status=503)
    get(sandbox)
    assert [(r.method, r.path, r.status) for r in sandbox.requests] == [("GET", ACCOUNT, 503)]


@pytest.mark.parametrize("numbers", [{"times": 0}, {"delay": -1}, {"status": 99}, {"status": 600}])
def test_fault_with_a_number_out_of_range_is_refused_when_added(numbers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="times is at least 1"):
        Fault(pattern="x", **numbers)


def test_fault_with_an_invalid_pattern_is_refused_when_added(sandbox: Sandbox) -> None:
    with pytest.raises(re.error):
        sandbox.fail_next("(")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 99999999",
        b"Content-Length: many",
        b"Content-Length: -5",
        b"Transfer-Encoding: chunked",
    ],
)
def test_request_body_of_unknown_or_excessive_length_is_refused(
    sandbox: Sandbox, head: bytes
) -> None:
    port = int(sandbox.service.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"PUT /api/account HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    status, _, rest = answer.partition(b"\r\n")
    assert status.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in rest
    assert "is not read" in json.loads(rest.partition(b"\r\n\r\n")[2])["error"]["message"]


def test_request_that_is_not_http_gets_400_and_the_server_goes_on(sandbox: Sandbox) -> None:
    port = int(sandbox.service.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert b"400" in connection.recv(65536)
    assert get(sandbox).status_code == 200


def test_many_requests_share_one_connection(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection(sandbox.service.removeprefix("http://"), timeout=10)
    connection.connect()
    sockets = {connection.sock}
    for _ in range(20):
        connection.request("GET", ACCOUNT)
        assert len(connection.getresponse().read()) > 0
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1

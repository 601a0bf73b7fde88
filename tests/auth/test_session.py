"""Requests through conda's own sessions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import answering

if TYPE_CHECKING:
    import socket

    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

ASK = """
import sys
from conda_token_plugin.auth import session
from conda_token_plugin.errors.service import ServiceUnreachable
from conda_token_plugin.settings import Settings
from conda_token_plugin.store.lookup import Lookup
session.CONDA_RESERVE = -2.5  # a total of half a second
try:
    session.CondaSender(Lookup(Settings())).get(sys.argv[1], max_bytes=1000)
except ServiceUnreachable as error:
    print(error)
"""


def drip(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.1)


def test_request_of_conda_to_a_dripping_server_ends_at_the_deadline(machine: Machine) -> None:
    limits = {"CONDA_REMOTE_CONNECT_TIMEOUT_SECS": "1", "CONDA_REMOTE_READ_TIMEOUT_SECS": "2"}
    with answering(drip) as address:
        ran = machine.python("-c", ASK, f"http://{address}/x/noarch/repodata.json", **limits)
    assert "no complete response within 0.5 seconds" in ran.well().out

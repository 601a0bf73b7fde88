"""Servers on this machine: HTTPS with the authority of the tests, an authenticating proxy."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tests.support.servers import RecordingServer, recording
from tests.support.tunnel import TunnelProxy, tunnel_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.certificates import Authority


@pytest.fixture
def recorder() -> Iterator[RecordingServer]:
    with recording() as server:
        yield server


@pytest.fixture
def ca_file(authority: Authority) -> Path:
    return authority.file


@pytest.fixture
def client_cert(authority: Authority) -> tuple[Path, Path]:
    """Return the paths of a client certificate and its key."""
    return authority.pair("ann@example.org")


@pytest.fixture
def https(authority: Authority) -> Iterator[RecordingServer]:
    with recording(tls=authority.server()) as server:
        yield server


@pytest.fixture
def mutual_https(authority: Authority) -> Iterator[RecordingServer]:
    """Run a server that accepts only clients with a certificate."""
    context = authority.server()
    context.verify_mode = ssl.CERT_REQUIRED
    with recording(tls=context) as server:
        yield server


@pytest.fixture
def proxy() -> Iterator[TunnelProxy]:
    """Run a proxy that requires a user name and a password."""
    with tunnel_proxy(authenticates=True) as made:
        yield made

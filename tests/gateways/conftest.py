"""Servers on this machine: HTTPS with a test CA, an authenticating proxy, slow and broken ones."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.support.tunnel import TunnelProxy, tunnel_proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def no_ca_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CA_VARIABLES:
        monkeypatch.delenv(name, raising=False)


class _Recorder(BaseHTTPRequestHandler):
    """Answers every request with an empty JSON object and records its Authorization."""

    server: RecordingServer

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization", "")))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_PUT = do_GET  # noqa: N815  # the name in the base

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the base
        """Log nothing."""


class RecordingServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Recorder)
        self.seen: list[tuple[str, str]] = []
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Ignore clients that refuse the certificate."""


@contextmanager
def running(server: RecordingServer) -> Iterator[RecordingServer]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def recorder() -> Iterator[RecordingServer]:
    with running(RecordingServer()) as server:
        yield server


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(ca: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def client_cert(ca: trustme.CA, tmp_path: Path) -> tuple[Path, Path]:
    """Return the paths of a client certificate and its key."""
    issued = ca.issue_cert("ann@example.org")
    cert, key = tmp_path / "client.pem", tmp_path / "client.key"
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    return cert, key


def encrypted(server: RecordingServer, ca: trustme.CA, *, mutual: bool = False) -> RecordingServer:
    """Have ``server`` use a certificate of ``ca``, and demand one from its clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        ca.configure_trust(context)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    server.scheme = "https"
    return server


@pytest.fixture
def https(ca: trustme.CA) -> Iterator[RecordingServer]:
    with running(encrypted(RecordingServer(), ca)) as server:
        yield server


@pytest.fixture
def mutual_https(ca: trustme.CA) -> Iterator[RecordingServer]:
    """Run a server that accepts only clients with a certificate."""
    with running(encrypted(RecordingServer(), ca, mutual=True)) as server:
        yield server


@contextmanager
def answering(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a server that hands each connection to ``serve``, in a thread; yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def one(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            serve(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connections.append(listener.accept()[0])
                threading.Thread(target=one, args=(connections[-1],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


@pytest.fixture
def proxy() -> Iterator[TunnelProxy]:
    """Run a proxy that requires a user name and a password."""
    with tunnel_proxy(authenticates=True) as made:
        yield made

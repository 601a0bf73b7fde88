"""An HTTP proxy for CONNECT, which may require a user name and a password."""

from __future__ import annotations

import base64
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

from tests.support.servers import served

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "ann", "p@ss"


@dataclass(slots=True)
class TunnelProxy:
    """The address of the proxy, and the record of what it was asked for."""

    port: int = 0
    authenticates: bool = False
    leads_to: int | None = None
    """The port of this machine that every tunnel leads to. None: the requested host and port."""
    accepted: list[str] = field(default_factory=list)
    """Host and port of each request that was accepted."""
    refused: int = 0
    """The number of requests without the right user name and password."""

    @property
    def address(self) -> str:
        """The host and port of the proxy."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The URL of the proxy with user name and password, percent-encoded."""
        return f"http://{USER}:{PASSWORD.replace('@', '%40')}@{self.address}"


@contextmanager
def tunnel_proxy(
    *, authenticates: bool = False, leads_to: int | None = None
) -> Iterator[TunnelProxy]:
    """Run a proxy on a free port until the end of the block.

    Args:
        authenticates: Whether a request without user name and password gets the response 407.
        leads_to: The port of this machine that every tunnel leads to, whatever host is
            requested. None: the requested one.
    """
    record = TunnelProxy(authenticates=authenticates, leads_to=leads_to)
    with _Server(record) as server:
        record.port = server.server_address[1]
        with served(server):
            yield record


class _Server(ThreadingTCPServer):
    daemon_threads = False

    def __init__(self, record: TunnelProxy) -> None:
        self.record = record
        super().__init__(("127.0.0.1", 0), _Tunnel)


class _Tunnel(StreamRequestHandler):
    """Serves one CONNECT."""

    server: _Server
    rbufsize = 0  # the bytes after the request belong to the tunnel

    def _head(self) -> list[bytes]:
        lines = []
        while (line := self.rfile.readline()) not in {b"\r\n", b""}:
            lines.append(line)
        return lines

    def handle(self) -> None:
        record = self.server.record
        lines = self._head()
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode())
        if record.authenticates and not any(b"Basic " + pair in line for line in lines):
            record.refused += 1
            self.wfile.write(
                b"HTTP/1.1 407 Authenticate\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return
        target = lines[0].split(b" ", 2)[1].decode()
        record.accepted.append(target)
        host, _, port = target.rpartition(":")
        there = ("127.0.0.1", record.leads_to) if record.leads_to else (host, int(port))
        with socket.create_connection(there) as other:
            self.wfile.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=_copy, args=(other, self.connection))
            back.start()
            _copy(self.connection, other)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Copy until one side closes; then close the other, because TLS has no half-closed state."""
    with suppress(OSError):  # the source was reset
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):  # the target is closed already
        target.shutdown(socket.SHUT_RDWR)

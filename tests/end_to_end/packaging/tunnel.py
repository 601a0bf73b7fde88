"""A proxy that connects every tunnel to one port of this machine, for any requested host."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Proxy(ThreadingTCPServer):
    """Listens on a free port; joins its threads when it is closed."""

    daemon_threads = False

    def __init__(self, port: int) -> None:
        """Connect all tunnels to ``port``."""
        self.port = port
        super().__init__(("127.0.0.1", 0), Tunnel)


class Tunnel(StreamRequestHandler):
    """One CONNECT."""

    server: Proxy
    rbufsize = 0  # the bytes after the request are for the target

    def handle(self) -> None:
        """Read the request to its blank line, then forward bytes in both directions."""
        while self.rfile.readline() not in {b"\r\n", b""}:
            pass
        self.wfile.write(b"HTTP/1.1 200 connected\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.server.port)) as other:
            back = threading.Thread(target=forward, args=(other, self.connection))
            back.start()
            forward(self.connection, other)
            back.join()


def forward(source: socket.socket, target: socket.socket) -> None:
    """Forward bytes until one side closes, then close the other side, as TLS requires."""
    with suppress(OSError):  # the target closed first
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):  # it is closed already
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(port: int) -> Iterator[str]:
    """Yield the address of a proxy whose tunnels are connected to ``port``."""
    with Proxy(port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()

"""A proxy that leads every tunnel to one port of this machine, whatever host is asked for."""

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
        """All tunnels lead to ``port``."""
        self.port = port
        super().__init__(("127.0.0.1", 0), Tunnel)


class Tunnel(StreamRequestHandler):
    """One CONNECT."""

    server: Proxy
    rbufsize = 0  # what follows the request belongs to the other side

    def handle(self) -> None:
        """Read the request to its blank line, then pass on what comes."""
        while self.rfile.readline() not in {b"\r\n", b""}:
            pass
        self.wfile.write(b"HTTP/1.1 200 connected\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.server.port)) as other:
            back = threading.Thread(target=pass_on, args=(other, self.connection))
            back.start()
            pass_on(self.connection, other)
            back.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Until one side closes; then the other one, too: TLS knows no half-closed connection."""
    with suppress(OSError):  # it hung up first
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):  # it is closed already
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(port: int) -> Iterator[str]:
    """The address of a proxy whose tunnels lead to ``port``."""
    with Proxy(port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()

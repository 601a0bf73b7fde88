"""A server that says whatever it is told to, byte for byte, and hangs up."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Babbler:
    """Where it is, and what it says to everybody."""

    port: int = 0
    says: bytes = b""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def babbling() -> Iterator[Babbler]:
    """One that serves until the end of the block."""
    babbler = Babbler()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            heard = b""
            while b"\r\n\r\n" not in heard:
                more = self.request.recv(65_536)
                if not more:
                    return
                heard += more
            self.request.sendall(babbler.says)
            self.request.shutdown(socket.SHUT_WR)

    class Server(ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """The client had enough of it."""

    server = Server(("127.0.0.1", 0), Handler)
    babbler.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield babbler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""A server that accepts user and password, as those of companies do, and records them."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Handler(SimpleHTTPRequestHandler):
    """Serves files below ``/<user>/`` to ``user`` only."""

    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        if self.admitted():
            super().do_GET()

    def do_HEAD(self) -> None:
        if self.admitted():
            super().do_HEAD()

    def admitted(self) -> bool:
        server = self.server
        assert isinstance(server, BasicServer)
        said = self.headers.get("Authorization", "")
        server.seen.append((self.path, said))
        user = self.path.split("/")[1]
        pair = f"{user}:{server.passwords.get(user)}".encode()
        if said == f"Basic {base64.b64encode(pair).decode()}":
            return True
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.end_headers()
        return False

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Log nothing."""


class BasicServer(ThreadingHTTPServer):
    """Serves files on a loopback address; ``url`` takes another name for it."""

    daemon_threads = True

    def __init__(self, folder: Path, passwords: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.passwords = passwords
        self.seen: list[tuple[str, str]] = []

    def url(self, user: str, *, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}/{user}"


@contextmanager
def serving(folder: Path, passwords: Mapping[str, str]) -> Iterator[BasicServer]:
    with BasicServer(folder, passwords) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

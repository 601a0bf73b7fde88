"""A server that writes down whatever comes, header for header, and answers as its path says.

| part of the path | answer |
|---|---|
| ``/answer-403/`` | that status, with a JSON body |
| ``/moved-here/`` | a redirect to ``/landed/`` on the same host |
| ``/moved-out/`` | a redirect to ``/elsewhere`` on the same host |
| ``/moved-away/`` | a redirect to ``/landed/`` on this server's other name |
| ``/moved-far/`` | a redirect to ``/landed/`` on the server ``far`` |
| ``/echoed/`` | a redirect to ``landed`` below the very path that was asked for |
| otherwise | 200, ``{}`` |

As a proxy (it is asked for whole URLs) it answers in the server's place;
one that ``asks`` says 407 to whoever shows no ``Proxy-Authorization``.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ssl import SSLContext


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it came."""

    line: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """The header of that name, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(slots=True)
class Wire:
    """The server's address, and what came."""

    port: int = 0
    asks: bool = False
    scheme: str = "http"
    far: str = ""
    """Address of another server."""
    arrivals: list[Arrival] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address, without a final slash."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def other_url(self) -> str:
        """Its address by another host name."""
        return f"{self.scheme}://localhost:{self.port}"


@contextmanager
def listening(*, asks: bool = False, tls: SSLContext | None = None) -> Iterator[Wire]:
    """A server on a free port, until the end of the block."""
    wire = Wire(asks=asks, scheme="https" if tls else "http")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(wire))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    wire.port = server.server_port
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield wire
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(wire: Wire) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wire.arrivals.append(Arrival(self.requestline, tuple(self.headers.items())))
            status, headers = _answer(wire, self.path, dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"{}")

        do_HEAD = do_GET  # noqa: N815  # http.server's names

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def _answer(wire: Wire, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
    if wire.asks and "Proxy-Authorization" not in headers:
        return 407, {"Proxy-Authenticate": 'Basic realm="the way out"'}
    status = re.search(r"/answer-(\d{3})/", path)
    if status:
        return int(status[1]), {}
    if "/moved-out/" in path:
        return 302, {"Location": "/elsewhere/noarch/repodata.json"}
    if "/echoed/" in path:
        return 302, {"Location": path.replace("/echoed/", "/landed/")}
    places = {"/moved-here/": "", "/moved-away/": wire.other_url, "/moved-far/": wire.far}
    for mark, host in places.items():
        if mark in path:
            way = path.partition("://")[2].partition("/")[2] if "://" in path else path
            return 302, {"Location": host + "/" + way.replace(mark, "/landed/").lstrip("/")}
    return 200, {}

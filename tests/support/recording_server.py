"""A server that records every request, header for header.

| part of the path | response |
|---|---|
| ``/answer-403/`` | that status, with a JSON body |
| ``/moved-here/`` | a redirect to ``/landed/`` on the same host |
| ``/moved-out/`` | a redirect to ``/elsewhere`` on the same host |
| ``/moved-away/`` | a redirect to ``/landed/`` on the other name of this server |
| ``/moved-far/`` | a redirect to ``/landed/`` on the server ``far`` |
| ``/echoed/`` | a redirect to the same path with ``landed`` in place of ``echoed`` |
| ``/to-login/`` | a redirect to ``/login?next=`` and the path, escaped, on the other name |
| anything else | 200, ``{}`` |

As a proxy, which gets whole URLs, it responds in place of the server. With ``asks`` it responds 407
to a request without ``Proxy-Authorization``. With ``raw`` it sends these bytes to every client, and
closes the connection.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from ssl import SSLContext


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the header of that name, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(slots=True)
class RecordingServer:
    """The address and the behaviour of the server, and its record."""

    port: int = 0
    asks: bool = False
    scheme: str = "http"
    far: str = ""
    raw: bytes = b""
    requests: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of the server, without a final slash."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def other_url(self) -> str:
        """The same with another host name."""
        return f"{self.scheme}://localhost:{self.port}"


@contextmanager
def recording(*, asks: bool = False, tls: SSLContext | None = None) -> Iterator[RecordingServer]:
    """Serve on a free port until the end of the block."""
    record = RecordingServer(asks=asks, scheme="https" if tls else "http")
    server = _Server(("127.0.0.1", 0), _handler(record))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    record.port = server.server_port
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield record
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Ignore a client that closed the connection."""


def _handler(record: RecordingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            record.requests.append(Request(self.requestline, tuple(self.headers.items()), body))
            if record.raw:
                self.close_connection = True
                self.wfile.write(record.raw)
                return
            status, headers = _response(record, self.path, dict(self.headers))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", "2")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"{}")

        do_HEAD = do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815  # http.server's names

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    return Handler


def _response(
    record: RecordingServer, path: str, headers: dict[str, str]
) -> tuple[int, dict[str, str]]:
    if record.asks and "Proxy-Authorization" not in headers:
        return 407, {"Proxy-Authenticate": 'Basic realm="the proxy"'}
    status = re.search(r"/answer-(\d{3})/", path)
    if status:
        return int(status[1]), {}
    if "/moved-out/" in path:
        return 302, {"Location": "/elsewhere/noarch/repodata.json"}
    if "/echoed/" in path or "/to-login/" in path:
        login = f"{record.other_url}/login?next={quote(path, safe='')}"
        landed = path.replace("/echoed/", "/landed/")
        return 302, {"Location": landed if landed != path else login}
    places = {"/moved-here/": "", "/moved-away/": record.other_url, "/moved-far/": record.far}
    for mark, host in places.items():
        if mark in path:
            way = path.partition("://")[2].partition("/")[2] if "://" in path else path
            return 302, {"Location": host + "/" + way.replace(mark, "/landed/").lstrip("/")}
    return 200, {}

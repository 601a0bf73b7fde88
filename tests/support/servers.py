"""Servers on this machine: HTTP with a record of every request, and plain sockets."""

from __future__ import annotations

import re
import socket
from base64 import b64encode
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from socketserver import BaseServer
    from ssl import SSLContext

    Respond = Callable[["Request"], "Response"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received."""

    line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The target of the request line: a path with its query, or a whole URL for a proxy."""
        return self.line.split()[1]

    def header(self, name: str) -> str:
        """Return the header of that name, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class Response(NamedTuple):
    """A response, whose body is JSON if nothing else is said."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b"{}"


@dataclass(slots=True)
class RecordingServer:
    """The address and the behaviour of a server, and its record.

    With ``asks`` it responds 407 to a request without ``Proxy-Authorization``. With ``raw`` it
    sends these bytes to every client, and closes the connection.
    """

    respond: Respond | None = None
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

    def response_to(self, request: Request) -> Response:
        """Return what the server responds."""
        if self.asks and not request.header("Proxy-Authorization"):
            return Response(407, {"Proxy-Authenticate": 'Basic realm="the proxy"'})
        return self.respond(request) if self.respond else self._by_path(request.path)

    def _by_path(self, path: str) -> Response:
        """Respond as a part of the path says. As a proxy, it responds in place of the server.

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
        """
        status = re.search(r"/answer-(\d{3})/", path)
        if status:
            return Response(int(status[1]))
        if "/moved-out/" in path:
            return Response(302, {"Location": "/elsewhere/noarch/repodata.json"})
        if "/echoed/" in path:
            return Response(302, {"Location": path.replace("/echoed/", "/landed/")})
        if "/to-login/" in path:
            login = f"{self.other_url}/login?next={quote(path, safe='')}"
            return Response(302, {"Location": login})
        places = {"/moved-here/": "", "/moved-away/": self.other_url, "/moved-far/": self.far}
        for mark, host in places.items():
            if mark in path:
                way = path.partition("://")[2].partition("/")[2] if "://" in path else path
                there = f"{host}/{way.replace(mark, '/landed/').lstrip('/')}"
                return Response(302, {"Location": there})
        return Response()


@contextmanager
def recording(
    respond: Respond | None = None, *, asks: bool = False, tls: SSLContext | None = None
) -> Iterator[RecordingServer]:
    """Serve on a free port until the end of the block.

    Args:
        respond: Returns the response to a request. Default: as a part of the path says.
        asks: Whether a request has to have ``Proxy-Authorization``.
        tls: The certificate for https.
    """
    record = RecordingServer(respond, asks=asks, scheme="https" if tls else "http")
    with _Server(("127.0.0.1", 0), _handler(record)) as server:
        if tls is not None:
            # The handshake is part of the first read, in the thread of the connection.
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        record.port = server.server_port
        with served(server):
            yield record


@contextmanager
def served(server: BaseServer) -> Iterator[None]:
    """Serve in a thread until the end of the block."""
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def files(folder: Path) -> Respond:
    """Return a function that responds with the files in ``folder``."""

    def respond(request: Request) -> Response:
        path = folder / request.path.strip("/")
        path = path / "index.html" if path.is_dir() else path
        kind = "text/html" if path.suffix == ".html" else "application/octet-stream"
        found = path.is_file()
        return Response(200, {"Content-Type": kind}, path.read_bytes()) if found else Response(404)

    return respond


def basic_files(folder: Path, passwords: Mapping[str, str]) -> Respond:
    """Return a function that responds with the files below ``/<user>/`` to ``user`` only."""
    serve = files(folder)

    def respond(request: Request) -> Response:
        user = request.path.split("/")[1]
        pair = b64encode(f"{user}:{passwords.get(user)}".encode()).decode()
        if request.header("Authorization") == f"Basic {pair}":
            return serve(request)
        return Response(401, {"WWW-Authenticate": 'Basic realm="test"'})

    return respond


@contextmanager
def answering(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a server that passes each connection to ``serve``, in a thread; yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def one(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            serve(connection)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connections.append(listener.accept()[0])
                Thread(target=one, args=(connections[-1],), daemon=True).start()

    Thread(target=accept, daemon=True).start()
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


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Ignore a client that closed the connection, or does not trust the certificate."""


def _handler(record: RecordingServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            request = Request(self.requestline, tuple(self.headers.items()), body)
            record.requests.append(request)
            if record.raw:
                self.close_connection = True
                self.wfile.write(record.raw)
                return
            response = record.response_to(request)
            self.send_response(response.status)
            for name, value in {"Content-Type": "application/json", **response.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        do_HEAD = do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815  # http.server's names

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    return Handler

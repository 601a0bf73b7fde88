"""HTTP on a loopback port: sockets and threads around a function from request to response."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.http.messages import Ending, Request, Response, problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

LOOPBACK = "127.0.0.1"
HOSTS = (LOOPBACK, "localhost")
LARGEST_BODY = 1 << 20
BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Server(ThreadingHTTPServer):
    """Serves on 127.0.0.1 with one thread for each connection."""

    # Threads are joined on close, so that no test leaves one for the next test.
    daemon_threads = False

    def __init__(
        self,
        port: int,
        respond: Callable[[Request], Response],
        *,
        now: Callable[[], datetime],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Bind the port.

        Args:
            port: The port, 0 for a free one.
            respond: Returns the response to a request.
            now: Returns the time of the header `Date`, aware.
            tls: The certificate for https. Default: http.
        """
        self.respond = respond
        self.now = now
        self.tls = tls
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((LOOPBACK, port), Handler)

    @property
    def scheme(self) -> str:
        """The scheme of the addresses."""
        return "https" if self.tls else "http"

    def server_bind(self) -> None:
        """Bind without a look-up of the name of this machine, which can take seconds."""
        super(ThreadingHTTPServer, self).server_bind()
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Accept a connection and remember it."""
        connection, address = super().get_request()
        if self.tls is not None:
            # The handshake is part of the first read, in the thread of the connection.
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._lock:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # TCP
        """Close a connection and forget it."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        """Close all connections, accept no new ones, and join all threads."""
        self.shutdown()
        self.stopping.set()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client has closed it already
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Reads a request, writes its response, and keeps the connection for the next one."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "conda-token-sandbox"
    sys_version = ""
    # Otherwise a response in two packets waits 40 ms for an acknowledgement.
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Serve the connection until it is closed."""
        # The client or `stop` closed it, or the client does not trust the certificate.
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            super().handle()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the value of the header `Date`: the time by the clock of the sandbox."""
        return super().date_time_string(timestamp or self.server.now().timestamp())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- theirs
        """Print nothing: paths contain tokens, and the requests are recorded."""

    def _serve(self) -> None:
        chunked = "Transfer-Encoding" in self.headers
        length = "unknown" if chunked else self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._deliver(problem(413, f"a body whose length is {length} is not read"))
            return
        body = self.rfile.read(int(length))
        headers = tuple(self.headers.items())
        scheme = self.server.scheme
        self._deliver(self.server.respond(Request(self.command, self.path, headers, body, scheme)))

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 -- theirs

    def _deliver(self, response: Response) -> None:
        self.server.stopping.wait(response.delay)
        if response.ending is Ending.STALL:
            self._stall()
        elif response.ending is Ending.RESET:
            self._reset()
        else:
            self._send(response)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.status not in BODILESS:
            self.send_header("Content-Length", str(len(response.body)))
        half = response.ending is Ending.HALF
        if half or self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body[: len(response.body) // 2] if half else response.body)

    def _stall(self) -> None:
        self.close_connection = True
        self.server.stopping.wait()

    def _reset(self) -> None:
        # Closing with a linger of zero seconds sends RST instead of FIN (socket(7)).
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

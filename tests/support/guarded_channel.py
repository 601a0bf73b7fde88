"""A channel of many packages on this machine, which opens for the headers that a test accepts."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from conda_token_plugin.sandbox.repository.channels import Channel, Recipe
from conda_token_plugin.sandbox.repository.packages import build_channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(slots=True)
class GuardedChannel:
    """The address and the behaviour of the channel, and what it received."""

    url: str = ""
    accepts: Callable[[str], bool] = lambda _: True
    """Takes the ``Authorization`` header of a request, or an empty string."""
    pause: float = 0.0
    """Seconds before a package is sent."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Path and ``Authorization`` header of each request."""

    def headers(self) -> list[str]:
        """Return the ``Authorization`` headers of all requests, each once, in order."""
        return list(dict.fromkeys(header for _, header in self.requests))


def build_packages(folder: Path, *, count: int) -> tuple[str, ...]:
    """Make a channel with ``count`` packages in ``folder``; return their names."""
    names = tuple(f"many-{number:02}" for number in range(count))
    build_channel(Channel("many", tuple(Recipe(name, "1.0", ".conda") for name in names)), folder)
    return names


@contextmanager
def guarded(folder: Path) -> Iterator[GuardedChannel]:
    """Serve the channel in ``folder`` until the end of the block."""
    record = GuardedChannel()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_handler(record), directory=str(folder)))
    record.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield record
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(record: GuardedChannel) -> type[SimpleHTTPRequestHandler]:
    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            header = self.headers.get("Authorization", "")
            record.requests.append((self.path, header))
            if not record.accepts(header):
                self.send_error(403)
                return
            if self.path.endswith(".conda"):
                time.sleep(record.pause)
            super().do_GET()

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    return Handler

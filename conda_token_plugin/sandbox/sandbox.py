"""The sandbox as one object: start it, read and change its state, stop it."""

from __future__ import annotations

import tempfile
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conda_token_plugin.sandbox import control
from conda_token_plugin.sandbox.http.faults import Fault, Faults
from conda_token_plugin.sandbox.http.router import Router
from conda_token_plugin.sandbox.http.server import LOOPBACK, Server
from conda_token_plugin.sandbox.repository.packages import build_channels
from conda_token_plugin.sandbox.repository.repository import Repository
from conda_token_plugin.sandbox.service import admin, organizations
from conda_token_plugin.sandbox.service.login import Login
from conda_token_plugin.sandbox.world.cast import DEFAULT_USER
from conda_token_plugin.sandbox.world.world import World

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from conda_token_plugin.sandbox.http.messages import Recorded
    from conda_token_plugin.sandbox.world.clock import Clock

POLL = 0.05  # seconds between two checks for the end


class Sandbox:
    """A running organization service with its repository.

    Attributes:
        world: The state. Its methods are the events in the life of a token.
        requests: The requests that were received, oldest first.
        faults: The faults of the next responses.
        login: The login service.
        host: The host name in all addresses.
    """

    def __init__(
        self,
        channels: Path,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Bind the port and start to serve the packages in `channels`; see `start`."""
        self.host = host
        self.world = World()
        self.requests: list[Recorded] = []
        self.faults = Faults()
        self.login = Login(self.world)
        parts = control.Parts(self.world, self.requests, self.faults, self.login)
        routes = [
            *organizations.routes(self.world),
            *admin.routes(self.world),
            *self.login.routes(),
            *Repository(self.world, channels).routes(),
            *control.routes(parts),
        ]
        router = Router(routes, faults=self.faults, record=self.requests)
        self._server = Server(port, router.respond, now=self.world.clock.now, tls=tls)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL,))
        self._thread.start()

    @classmethod
    @contextmanager
    def start(
        cls,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        packages: Path | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Iterator[Sandbox]:
        """Build the channels and serve until the end of the block.

        Args:
            host: The host name in all addresses: `127.0.0.1` or `localhost`.
            port: The port, 0 for a free one.
            packages: A folder to build the channels in, or in which another sandbox of the same
                version has built them. Default: a temporary one.
            tls: The certificate for https, valid for 127.0.0.1 and localhost. Default: http.

        Raises:
            MissingLibraryError: A library of the `demo` extra is not installed.
            OSError: The port is in use or not allowed.
        """
        with ExitStack() as stack:
            directory = packages or Path(stack.enter_context(_scratch()))
            sandbox = cls(build_channels(directory), host=host, port=port, tls=tls)
            stack.callback(sandbox.stop)
            yield sandbox

    def stop(self) -> None:
        """Stop serving and free the port."""
        self._server.stop()
        self._thread.join()

    @property
    def service(self) -> str:
        """The base address of the service, without a slash at its end."""
        return f"{self._server.scheme}://{self.host}:{self._server.server_port}"

    @property
    def repo(self) -> str:
        """The base address of the repository, with a slash at its end."""
        return f"{self.service}/repo/"

    @property
    def clock(self) -> Clock:
        """The clock of the world."""
        return self.world.clock

    def url_of(self, *names: str) -> str:
        """Return the address of a channel: `url_of("acme", "main")`, `url_of("r")`."""
        return self.repo + "/".join(names)

    def fail_next(self, pattern: str, **fault: Any) -> None:
        """Spoil the response to the next request with a matching path; see `Fault`."""
        self.faults.add(Fault(pattern=pattern, **fault))

    def introduction(self) -> dict[str, Any]:
        """Return the addresses, an API key and its organizations, as the command prints them."""
        return {
            "service": self.service,
            "repo": self.repo,
            "api_key": self.world.api_key(DEFAULT_USER),
            "organizations": self.world.issuable(DEFAULT_USER),
        }


def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="conda-token-sandbox-")

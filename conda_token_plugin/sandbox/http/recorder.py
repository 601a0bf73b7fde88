"""The record of all requests with their headers, for tests of which token was sent where."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.http.messages import first_header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.sandbox.http.messages import Answer, Request


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it was received, and the status of its response.

    `path` includes the query, and `/t/…/` if it was sent.
    """

    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)

    def header(self, name: str) -> str:
        """Return the first header of that name, or an empty string."""
        return first_header(self.headers, name)

    @property
    def host(self) -> str:
        """The host name and port that the client used."""
        return self.header("Host")

    @property
    def authorization(self) -> str:
        """The `Authorization` header."""
        return self.header("Authorization")


class Recorder:
    """All requests since the start or the last `clear`, oldest first."""

    def __init__(self) -> None:
        """Start without requests."""
        self._lock = threading.Lock()
        self._requests: list[Recorded] = []

    def add(self, request: Request, answer: Answer) -> None:
        """Add a request and the status of its response."""
        recorded = Recorded(request.method, request.target, answer.status, request.headers)
        with self._lock:
            self._requests.append(recorded)

    def clear(self) -> None:
        """Delete all requests."""
        with self._lock:
            self._requests.clear()

    def __iter__(self) -> Iterator[Recorded]:
        """Iterate over a copy."""
        with self._lock:
            return iter(self._requests.copy())

    def __len__(self) -> int:
        """Return the number of requests."""
        return len(self._requests)

"""What came in, header by header: how a test proves who was sent which token."""

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
    """A request as it came, and the status it was answered with.

    `path` includes the query, and a `/t/…/` if one was sent.
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
        """The host name and port that the client meant."""
        return self.header("Host")

    @property
    def authorization(self) -> str:
        """What the client sent to prove who it is."""
        return self.header("Authorization")


class Recorder:
    """All requests since the start or the last `clear`, oldest first."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._requests: list[Recorded] = []

    def add(self, request: Request, answer: Answer) -> None:
        """Keep a request and the status of its answer."""
        recorded = Recorded(request.method, request.target, answer.status, request.headers)
        with self._lock:
            self._requests.append(recorded)

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._requests.clear()

    def __iter__(self) -> Iterator[Recorded]:
        """Iterate over a copy: more may come meanwhile."""
        with self._lock:
            return iter(self._requests.copy())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._requests)

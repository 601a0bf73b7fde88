"""The current time: by the local clock, or by a server's if the local clock is wrong.

``Http`` compares the header ``Date`` of every response with the clock that is in use. So each
command counts with the same time, whichever server it has asked.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

MAX_ERROR = timedelta(days=1)
"""A larger difference from a server's clock means that the local clock is wrong."""


class Clock:
    """The time of one command."""

    def __init__(
        self, local: datetime, *, notice: Callable[[str], None] = lambda _line: None
    ) -> None:
        """Start with the local time.

        Args:
            local: The time by this machine's clock, aware, UTC.
            notice: Receives a sentence for each server whose time differs.
        """
        self.now = local
        """The time to count with, aware, UTC. Read it after the servers were asked."""
        self._local = local
        self._notice = notice
        self._reported = set[str]()

    def compare(self, reported: datetime, *, server: str) -> None:
        """Use the local time, or ``reported`` if the two differ by more than a day.

        Args:
            reported: The time by a server's clock, aware, UTC.
            server: The name of the server.
        """
        self.now = self._local
        if abs(reported - self._local) <= MAX_ERROR:
            return
        self.now = reported
        if server not in self._reported:
            self._reported.add(server)
            self._notice(
                f"The clock of this machine says {self._local:%Y-%m-%d}, {server} says "
                f"{reported:%Y-%m-%d}. The time of {server} is used. Set the clock."
            )

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Compare this clock with every response to a request of the block."""
        before = _IN_USE.set(self)
        try:
            yield
        finally:
            _IN_USE.reset(before)


_IN_USE: ContextVar[Clock | None] = ContextVar("clock", default=None)


def compare(reported: datetime | None, *, server: str) -> None:
    """Compare the clock that is in use, if there is one, with the time that a server reported."""
    clock = _IN_USE.get()
    if clock is not None and reported is not None:
        clock.compare(reported, server=server)

"""The clock of the sandbox: the real time plus an offset."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone


class Clock:
    """A clock that can be set, and that continues from there."""

    def __init__(self, start: datetime | None = None) -> None:
        """Set the clock.

        Args:
            start: The time at the start, with a time zone. Default: the real time.
        """
        self._lock = threading.Lock()
        self._offset = timedelta(0)
        if start is not None:
            self.set(start)

    def now(self) -> datetime:
        """Return the time in UTC, to the microsecond."""
        with self._lock:
            return datetime.now(timezone.utc) + self._offset

    def set(self, to: datetime) -> None:
        """Set the clock to the time `to`.

        Raises:
            ValueError: `to` has no time zone.
        """
        if to.tzinfo is None:
            raise ValueError(f"the clock takes a time with a zone, not {to.isoformat()}")
        with self._lock:
            self._offset = to - datetime.now(timezone.utc)

    def advance(self, by: timedelta) -> None:
        """Move the clock by `by`, which may be negative.

        Raises:
            OverflowError: The result is before the year 1 or after the year 9999.
        """
        self.set(self.now() + by)

"""The sandbox's clock: real time, moved by as much as a test or a demo asks for."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone


class Clock:
    """Tells the time, and can be set. It goes on ticking after it has been set."""

    def __init__(self, start: datetime | None = None) -> None:
        """Set the clock.

        Args:
            start: The time it shows first, aware of its zone. Default: the real time.
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
        """Show the time `to` from now on.

        Raises:
            ValueError: `to` has no time zone, so that it is no point in time.
        """
        if to.tzinfo is None:
            raise ValueError(f"the clock takes a time with a zone, not {to.isoformat()}")
        with self._lock:
            self._offset = to - datetime.now(timezone.utc)

    def advance(self, by: timedelta) -> None:
        """Jump by `by`, which may be negative: real clocks do that too.

        Raises:
            OverflowError: that is before the year 1 or after the year 9999.
        """
        self.set(self.now() + by)

"""A line that moves while a person waits; it is drawn only when the wait is long enough to see.

The drawing library is imported when that is so, by the thread that waits for it:
a command that is done at once pays for neither.
"""

from __future__ import annotations

from threading import Lock, Timer
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.status import Status


class Spinner:
    """Started and stopped once."""

    def __init__(self, what: str, *, stream: TextIO, plain: bool) -> None:
        """Show ``what`` on ``stream``, which is a terminal; ``plain``: without colour."""
        self._what, self._stream, self._plain = what, stream, plain
        self._lock = Lock()
        self._over = False
        self._status: Status | None = None
        self._timer: Timer | None = None

    def start_after(self, seconds: float) -> None:
        """Show it when so many seconds have gone by and it has not been stopped."""
        self._timer = Timer(seconds, self.show)
        self._timer.daemon = True  # it must not keep a process alive that is done
        self._timer.start()

    def show(self) -> None:
        """Show it now, unless it has been stopped."""
        from rich.console import Console
        from rich.status import Status

        console = Console(file=self._stream, no_color=self._plain)
        with self._lock:
            if self._over:
                return
            if console.is_dumb_terminal:
                console.print(self._what)
            else:
                self._status = Status(self._what, console=console)
                self._status.start()

    def stop(self) -> None:
        """Take it off the screen, or see to it that it never comes."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._over = True
        if self._status is not None:
            self._status.stop()

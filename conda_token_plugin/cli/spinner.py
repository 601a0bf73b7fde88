"""A line on a terminal that shows that a command is waiting."""

from __future__ import annotations

from threading import Lock, Timer
from typing import TYPE_CHECKING

from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from typing import TextIO

    from rich.status import Status


class Spinner:
    """A moving line on a terminal during a wait; started and stopped once.

    rich is imported by the timer's thread, so that a short wait does not pay for it.
    """

    def __init__(self, what: str, *, stream: TextIO) -> None:
        """Show `what` on `stream`, which is a terminal."""
        self._what, self._stream = what, stream
        self._lock = Lock()
        self._stopped = False
        self._status: Status | None = None
        self._timer: Timer | None = None

    def start_after(self, seconds: float) -> None:
        """Show the line after `seconds`, unless it was stopped by then."""
        self._timer = Timer(seconds, self.show)
        self._timer.daemon = True  # must not keep the process alive
        self._timer.start()

    def show(self) -> None:
        """Show the line now, unless it was stopped."""
        from rich.console import Console
        from rich.status import Status
        from rich.text import Text

        console = Console(file=self._stream, no_color=Settings().plain_output)
        with self._lock:
            if self._stopped:
                return
            if console.is_dumb_terminal:
                console.print(Text(self._what))
            else:
                self._status = Status(Text(self._what), console=console)
                self._status.start()

    def stop(self) -> None:
        """Erase the line, or cancel it if it is not shown yet."""
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._stopped = True
        if self._status is not None:
            self._status.stop()

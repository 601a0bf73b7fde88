"""A command on a pseudo-terminal: wait for text, type, press Ctrl-C."""

from __future__ import annotations

import os
import select
import signal
import struct
import sys
import time
from typing import TYPE_CHECKING

import pytest

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

import fcntl
import pty
import termios

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 60.0
PRESSES = 6
CTRL_C, CTRL_D = "\x03", "\x04"


class Terminal:
    """A child process on a pseudo-terminal of its own."""

    def __init__(
        self,
        *words: str,
        environment: Mapping[str, str],
        size: tuple[int, int] = (24, 80),
        module: str = "conda_token_plugin",
    ) -> None:
        """Start ``python -m module`` with ``words``; ``size`` in lines and columns."""
        self.seen, self._pressed, self._ended = "", "", False
        command = [sys.executable, "-m", module, *words]
        self._child, self._terminal = pty.fork()
        if self._child == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job inherits "ignore"
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            try:
                os.execve(sys.executable, command, dict(environment))
            finally:  # exec failed: this is still the child, which must not run the test runner
                os._exit(127)

    def wait_for(self, text: str) -> None:
        """Read until ``text`` is on the screen."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert self._more(end), f"{text!r} did not appear; on the screen: {self.seen}"

    def type(self, text: str) -> None:
        """Press the keys of ``text``."""
        self._pressed = text
        os.write(self._terminal, text.encode())

    def finish(self) -> int:
        """Read to the end; return the exit code.

        A Ctrl-C that arrives just before the child begins to wait for a key takes effect with
        the next key, so it is pressed again.
        """
        for _ in range(PRESSES):
            end = time.monotonic() + PATIENCE / PRESSES
            while self._more(end):
                pass
            done, status = os.waitpid(self._child, os.WNOHANG)
            if done or self._ended:
                _, status = (done, status) if done else os.waitpid(self._child, 0)
                os.close(self._terminal)
                return os.waitstatus_to_exitcode(status)
            if self._pressed == CTRL_C:
                self.type(CTRL_C)
        os.kill(self._child, signal.SIGKILL)
        raise AssertionError(f"the command did not end; on the screen: {self.seen}")

    def _more(self, end: float) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], max(0.0, end - time.monotonic()))
        try:
            chunk = os.read(self._terminal, 4096) if ready else b""
        except OSError:  # Linux says EIO when the child has closed its end
            chunk = b""
        self._ended = bool(ready) and not chunk
        self.seen += chunk.decode("utf-8", "replace")
        return bool(chunk)

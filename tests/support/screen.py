"""A pseudo-terminal to write to, and what it shows."""

from __future__ import annotations

import os
import select
import sys
from typing import TextIO

import pytest

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

import pty

PATIENCE = 30.0


class Screen:
    """A pseudo-terminal: ``stream`` is the program's end."""

    def __init__(self) -> None:
        """Open both ends."""
        self._reader, writer = pty.openpty()
        self.stream: TextIO = os.fdopen(writer, "w", encoding="utf-8")
        self.seen = ""

    def wait_for(self, text: str) -> None:
        """Read until ``text`` is shown."""
        while text not in self.seen:
            assert self._more(PATIENCE), f"{text!r} did not appear: {self.seen!r}"

    def rest(self) -> str:
        """Return all that was written until now."""
        self.stream.flush()
        while self._more(0):
            pass
        return self.seen

    def close(self) -> None:
        """Close both ends."""
        self.stream.close()
        os.close(self._reader)

    def _more(self, patience: float) -> bool:
        if not select.select([self._reader], [], [], patience)[0]:
            return False
        self.seen += os.read(self._reader, 65536).decode("utf-8", "replace")
        return True

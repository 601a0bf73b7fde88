"""Files read as if someone watched: no symbolic link is followed, no FIFO waited for.

How they are written is in ``writing``, which a request does not import.
Every call is one of ``os``'s, so that a test can make each of them fail.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from errno import ELOOP
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Signature = tuple[int, int, int]
    """What differs between any two versions of a file that ``writing`` wrote: its time in
    nanoseconds, its size in bytes, its inode."""

TEMPORARY, LOCK, FINDING = ".new", ".lock", "keyring.json"
"""What else a folder may hold: the next version of a file, the writers' lock, and a note of what
is known of the keyring. Named here, so that readers need not import the writers' modules."""
WINDOWS = os.name == "nt"
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""How every file is opened: not by a link, not for a child process, byte by byte."""
_FOR_READING = os.O_RDONLY | NO_LINK | getattr(os, "O_NONBLOCK", 0)


def signature(status: os.stat_result) -> Signature:
    """The signature of the file that ``status`` describes."""
    return status.st_mtime_ns, status.st_size, status.st_ino


@contextmanager
def errors_of(path: Path, *, hint: str = "") -> Iterator[None]:
    """Turn the system's errors into ours, naming ``path`` and what to do next.

    Raises:
        StoreUnusable: in place of any OSError.
    """
    try:
        yield
    except OSError as error:  # permissions, a full or failing disk, a link in the file's place
        from conda_token_plugin.errors.store import StoreUnusable

        reason = error.strerror or type(error).__name__
        if error.errno == ELOOP:
            reason = "it is a symbolic link"
        raise StoreUnusable(path, reason=reason, hint=hint) from None


def opened(path: Path) -> int:
    """A descriptor of the file at ``path``, which is not a symbolic link."""
    return os.open(path, _FOR_READING)


def content(descriptor: int, *, limit: int, size: int = 64 * 1024) -> bytes:
    """All bytes, or the first of them: more than ``limit`` where there are more.

    ``size`` is how many are expected; they are read at once.
    """
    pieces: list[bytes] = []
    left = limit + 1
    while left > 0 and (piece := os.read(descriptor, min(left, size + 1))):
        pieces.append(piece)
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)

"""Files as if someone watched, and as if the power failed at each line.

Reading never follows a symbolic link and never waits for a FIFO.
Writing goes to a temporary in the same folder, made anew for the owner alone, written and synced,
then put in place in one step. There is one temporary a folder, because writers hold
the store's lock: what a killed one left is cleared away by the next, without a search.

Every call is one of ``os``'s, so that a test can make each of them fail.
"""

# ruff: noqa: PTH101, PTH105, PTH108, PTH116  # os's own calls, see above
from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.store import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPORARY, LOCK, FINDING = ".new", ".lock", "keyring.json"
"""What else a folder may hold: the next version of a file, the writers' lock, and a note of what
is known of the keyring. Named here, so that readers need not import the writers' modules."""
WINDOWS = os.name == "nt"
_HERE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FOR_READING = os.O_RDONLY | _HERE | getattr(os, "O_NONBLOCK", 0)
_FOR_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _HERE
_CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP})
"""Answers of file systems that cannot sync a folder (some network and FUSE ones)."""
_REPLACE_TRIES = 100
_REPLACE_PAUSE = 0.02


class Signature(NamedTuple):
    """What differs between any two versions of a file that ``put`` wrote."""

    mtime_ns: int
    size: int
    inode: int


def signature(status: os.stat_result) -> Signature:
    """The signature of the file that ``status`` describes."""
    return Signature(status.st_mtime_ns, status.st_size, status.st_ino)


@contextmanager
def errors_of(path: Path, *, hint: str = "") -> Iterator[None]:
    """Turn the system's errors into ours, naming ``path`` and what to do next.

    Raises:
        StoreUnusable: in place of any OSError.
    """
    try:
        yield
    except OSError as error:  # permissions, a full or failing disk, a link in the file's place
        reason = error.strerror or type(error).__name__
        if error.errno == errno.ELOOP:
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


def fill(temporary: Path, data: bytes, *, group: int | None = None) -> None:
    """Make the file ``temporary`` anew, and have ``data`` on the disk in it.

    Mode 0600; where ``group`` is given, 0640 and that group's.
    """
    clear(temporary)
    descriptor = os.open(temporary, _FOR_WRITING, 0o600)
    try:
        try:
            _pour(data, descriptor)
            if group is not None:
                os.chown(descriptor, -1, group)
                os.chmod(descriptor, 0o640)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:  # a full or failing disk
        with suppress(OSError):  # the next write clears it away, too
            clear(temporary)
        raise


def put(temporary: Path, path: Path, *, after: Signature | None) -> None:
    """Put ``temporary`` in place of ``path`` in one step.

    ``after``: the signature of the version before. The new one's time is made later than its,
    so that no two signatures are alike, however fast writes follow one another.
    """
    try:
        if after is not None and os.stat(temporary).st_mtime_ns <= after.mtime_ns:
            os.utime(temporary, ns=(after.mtime_ns + 1, after.mtime_ns + 1))
        _replace(temporary, path)
    except OSError:  # not permitted, or a failing disk
        with suppress(OSError):  # the next write clears it away, too
            clear(temporary)
        raise


def clear(path: Path) -> None:
    """Delete the file at ``path``, where there is one."""
    with suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(path)


def sync(folder: Path) -> None:
    """Have the disk confirm which files ``folder`` holds."""
    if WINDOWS:  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def _pour(data: bytes, descriptor: int) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _replace(temporary: Path, path: Path) -> None:
    for _ in range(_REPLACE_TRIES if WINDOWS else 0):
        try:
            return os.replace(temporary, path)
        except PermissionError:  # noqa: PERF203  # Windows: a reader has it open for a moment
            time.sleep(_REPLACE_PAUSE)
    return os.replace(temporary, path)

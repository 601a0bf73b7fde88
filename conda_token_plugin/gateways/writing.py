"""Files written as if the power failed at each line.

Each is written to a temporary in the same folder, made anew for the owner alone, written and
synced, then put in place in one step. There is one temporary a folder, because writers hold
the store's lock: what a killed one left is cleared away by the next, without a search.

Every call is one of ``os``'s, so that a test can make each of them fail.
"""

# ruff: noqa: PTH101, PTH105, PTH108, PTH116  # os's own calls, see above
from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from conda_token_plugin.gateways.files import NO_LINK, WINDOWS

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.gateways.files import Signature

_FOR_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK
_CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP})
"""Answers of file systems that cannot sync a folder (some network and FUSE ones)."""
_REPLACE_TRIES = 100
_REPLACE_PAUSE = 0.02


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
        latest, _, _ = after or (0, 0, 0)
        if os.stat(temporary).st_mtime_ns <= latest:
            os.utime(temporary, ns=(latest + 1, latest + 1))
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

"""Read and write files safely.

Reading never waits for a FIFO. Only ``read`` follows a symbolic link.

Writing is atomic. The new version is written to a temporary file in the same folder, which only
its owner can read, is flushed to the disk, and then replaces the old version in one step.
A file has one temporary name, because its writers hold a lock. The next write deletes a temporary
file that a killed process left behind.

Every system call is made through ``os``, so that a test can make each of them fail.
"""

# ruff: noqa: PTH101, PTH105, PTH108, PTH116  # the calls of os, so that tests can replace them
from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from errno import EINVAL, ELOOP, ENOTSUP
from typing import TYPE_CHECKING

from conda_token_plugin import settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Signature = tuple[int, int, int]
    """Modification time in nanoseconds, size in bytes, inode: different for any two versions
    of a file that ``put`` has written."""

TEMPORARY, LOCK, PROBE_RESULT = ".new", ".lock", "keyring.json"
"""Other files that a store's folder may contain: the next version of a file, the lock of the
writers, and the result of the keyring probe. They are named here, so that a reader does not
import the modules of the writers."""
WINDOWS = settings.WINDOWS
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Flags for every file: do not follow a symbolic link, close in child processes, bytes."""
_FOR_READING = os.O_RDONLY | NO_LINK | getattr(os, "O_NONBLOCK", 0)
_FOR_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK
_CANNOT_SYNC = frozenset({EINVAL, ENOTSUP})
"""Errors of file systems that cannot flush a folder (some network and FUSE file systems)."""
_REPLACE_TRIES = 100
_REPLACE_PAUSE = 0.02
"""Seconds between two attempts to replace a file on Windows."""


def signature(status: os.stat_result) -> Signature:
    """Return the signature of the file that ``status`` describes."""
    return status.st_mtime_ns, status.st_size, status.st_ino


@contextmanager
def errors_of(path: Path, *, hint: str = "") -> Iterator[None]:
    """Convert an OSError of the block into an error that names ``path``.

    Without ``hint``, the error has its default hint.

    Raises:
        StoreUnusable: The block raised an OSError.
    """
    try:
        yield
    except OSError as error:  # permissions, a full or failing disk, a symbolic link
        from conda_token_plugin.errors.store import StoreUnusable

        reason = error.strerror or type(error).__name__
        if error.errno == ELOOP:
            reason = "it is a symbolic link"
        raise StoreUnusable(path, reason=reason, hint=hint) from None


def opened(path: Path) -> int:
    """Open the file at ``path`` for reading and return its descriptor.

    Raises:
        OSError: It does not exist, is a symbolic link, or may not be read.
    """
    return os.open(path, _FOR_READING)


def read(path: Path, *, limit: int) -> bytes:
    """Return the content of a file that may be a symbolic link, or a little more than ``limit``.

    It does not wait, as for a FIFO or /proc/kmsg.

    Raises:
        OSError: It does not exist, may not be read, or has nothing to read yet.
    """
    descriptor = os.open(path, _FOR_READING & ~getattr(os, "O_NOFOLLOW", 0))
    try:
        return content(descriptor, limit=limit, size=min(os.fstat(descriptor).st_size, limit))
    finally:
        os.close(descriptor)


def content(descriptor: int, *, limit: int, size: int = 64 * 1024) -> bytes:
    """Read a file to its end, or until more than ``limit`` bytes were read.

    Args:
        descriptor: The open file.
        limit: Number of bytes. A longer result means that the file is too large.
        size: Expected number of bytes, which are read in one call.
    """
    pieces: list[bytes] = []
    left = limit + 1
    while left > 0 and (piece := os.read(descriptor, min(left, size + 1))):
        pieces.append(piece)
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def fill(temporary: Path, data: bytes, *, group: int | None = None) -> None:
    """Create the file ``temporary`` and flush ``data`` to the disk in it.

    Args:
        temporary: The file. An older one of this name is deleted first.
        data: The whole content.
        group: Group that may read the file (mode 0640). None: mode 0600.

    Raises:
        OSError: The file cannot be written. It is deleted again.
    """
    clear(temporary)
    descriptor = os.open(temporary, _FOR_WRITING, 0o600)
    try:
        try:
            _write_all(data, descriptor)
            if group is not None:
                os.chown(descriptor, -1, group)
                os.chmod(descriptor, 0o640)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError:  # a full or failing disk
        with suppress(OSError):  # the next write deletes it as well
            clear(temporary)
        raise


def put(temporary: Path, path: Path, *, after: Signature | None) -> None:
    """Replace ``path`` with ``temporary`` in one step.

    Args:
        temporary: The file that ``fill`` has written.
        path: Where it goes.
        after: Signature of the previous version. The new file gets a later modification time,
            so that two versions never have the same signature.

    Raises:
        OSError: It could not be replaced, and is unchanged. ``temporary`` is deleted.
    """
    try:
        latest, _, _ = after or (0, 0, 0)
        if os.stat(temporary).st_mtime_ns <= latest:
            os.utime(temporary, ns=(latest + 1, latest + 1))
        _replace(temporary, path)
    except OSError:  # not permitted, or a failing disk
        with suppress(OSError):  # the next write deletes it as well
            clear(temporary)
        raise


def replace(
    path: Path, data: bytes, *, temporary: Path | None = None, mode: int | None = None
) -> None:
    """Replace the content of ``path`` in one step, and flush its folder to the disk.

    Args:
        path: The file.
        data: The whole content.
        temporary: The file that is written first. None: ``path`` with ``TEMPORARY`` at its end.
        mode: Permissions of the file. None: only its owner may read it (0600).

    Raises:
        OSError: It could not be replaced, and is unchanged.
    """
    temporary = temporary or path.with_name(f"{path.name}{TEMPORARY}")
    fill(temporary, data)
    if mode is not None:
        os.chmod(temporary, mode)
    put(temporary, path, after=None)
    sync(path.parent)


def clear(path: Path) -> None:
    """Delete the file at ``path`` if it exists."""
    with suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(path)


def sync(folder: Path) -> None:
    """Flush the list of files in ``folder`` to the disk."""
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


def group_name(number: int) -> str:
    """Return the name of a group, or its number if it has no name on this machine."""
    try:
        from grp import getgrgid

        return getgrgid(number).gr_name
    except (ImportError, KeyError):  # Windows; a group of another machine
        return str(number)


def group_number(group: str) -> int:
    """Return the number of ``group``.

    Raises:
        BadInput: There is no such group on this machine.
    """
    from conda_token_plugin.errors.input import BadInput

    try:
        from grp import getgrnam

        return getgrnam(group).gr_gid
    except ImportError:  # Windows
        fault, hint = "--group is not available on Windows.", "Set the ACL of the folder."
    except KeyError:
        fault, hint = f"There is no group {group!r}.", "See: getent group"
    raise BadInput(fault, hint=hint)


def _write_all(data: bytes, descriptor: int) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]


def _replace(temporary: Path, path: Path) -> None:
    for _ in range(_REPLACE_TRIES if WINDOWS else 0):
        try:
            return os.replace(temporary, path)
        except PermissionError:  # noqa: PERF203  # Windows: a reader has the file open for a moment
            from time import sleep

            sleep(_REPLACE_PAUSE)
    return os.replace(temporary, path)

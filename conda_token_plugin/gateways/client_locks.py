"""Locks of other tools on their own files: respected, and not waited for without end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.gateways import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 5.0
"""Seconds to wait for a client that holds its lock."""
LEFT = "and was left as it is"


@contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Hold a client's own lock file, if the client has made one.

    Raises:
        ConfigurationError: another process holds it for too long, or it is a link.
    """
    if not lock.exists():
        yield
        return
    if lock.is_symlink():  # filelock before 3.20.1 opens, and empties, what it leads to
        raise ConfigurationError(lock, reason=f"is a symbolic link {LEFT}", hint="Delete it.")
    from filelock import FileLock, Timeout

    held = FileLock(lock, timeout=PATIENCE)
    try:
        held.acquire()
    except Timeout:  # the client writes, or hangs
        raise _busy(lock) from None
    except OSError as error:  # somebody else's
        raise ConfigurationError(
            lock, reason=f"cannot be locked: {error.strerror}", hint="Make it writable."
        ) from None
    try:
        yield
    finally:
        held.release()


def refuse_locked(path: Path, descriptor: int) -> None:
    """Ask for a shared lock of both kinds, which an editor or client with its own denies us."""
    if files.WINDOWS:  # there, opening it would have failed
        return
    import fcntl

    _ask(fcntl.flock, path, descriptor)
    _ask(fcntl.lockf, path, descriptor)


def _ask(lock: Callable[[int, int], None], path: Path, descriptor: int) -> None:
    import fcntl

    try:
        lock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        lock(descriptor, fcntl.LOCK_UN)
    except BlockingIOError:  # somebody writes it
        raise _busy(path) from None
    except OSError:  # a file system without locks: then nobody has one
        return


def _busy(path: Path) -> ConfigurationError:
    return ConfigurationError(
        path, reason=f"is locked by another process {LEFT}", hint="Run this again when it is done."
    )

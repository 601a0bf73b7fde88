"""Lock files: ours, which exclude other writers, and those of other tools, which are respected.

Readers need no lock, because files are replaced in one step.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from warnings import catch_warnings, simplefilter

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.errors.store import StoreBusy, StoreUnusable
from conda_token_plugin.gateways.files import LOCK, WINDOWS, errors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import BaseFileLock

WAIT = 30.0
"""Seconds to wait for another writer of our files."""
CLIENT_WAIT = 5.0
"""Seconds to wait for another tool that holds the lock of its own file."""
UNCHANGED = "and was not changed"
"""The end of a message about another tool's file."""
NO_LOCKS = "If a command was killed and the next one waits, delete the file .lock there."
"""The end of the line about a file system without locks."""
_PAUSE = 0.01
"""Seconds between two attempts to take a lock."""


@contextmanager
def locked(
    folder: Path,
    *,
    name: str = LOCK,
    wait: float | None = None,
    hint: str = "",
    notice: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Hold the lock file ``name`` in ``folder``.

    Args:
        folder: A folder of ours.
        name: Name of the lock file.
        wait: Seconds to wait for another holder. None: ``WAIT``.
        hint: What the user can do if the lock file cannot be created.
        notice: Takes one line if the file system has no locks. filelock then uses the existence
            of the file as the lock, which a killed process leaves behind.

    Raises:
        StoreBusy: Others held the lock for ``wait`` seconds.
        StoreUnusable: The lock file is a symbolic link, or cannot be created: a read-only
            folder.
    """
    from filelock import FileLock, Timeout

    path = folder / name
    wait = WAIT if wait is None else wait
    lock = FileLock(path, timeout=wait, mode=0o600)
    with errors_of(path, hint=hint):
        if path.is_symlink():  # filelock before 3.20.1 opens and empties the file it points to
            raise StoreUnusable(path, reason="it is a symbolic link", hint="Delete it.")
        try:
            if not _acquire(lock) and notice is not None:
                notice(f"The file system of {folder} has no locks. {NO_LOCKS}")
        except Timeout:  # a writer that hangs, or very many writers
            raise StoreBusy(path, waited=wait) from None
    try:
        yield
    finally:
        with suppress(OSError):  # the work is done, and the end of the process releases the lock
            lock.release()


@contextmanager
def client_locked(lock: Path) -> Iterator[None]:
    """Hold the lock file of another tool if the tool has created one.

    Raises:
        ConfigurationError: Another process holds it for ``CLIENT_WAIT`` seconds, it is a
            symbolic link, or it cannot be locked.
    """
    if not lock.exists():
        yield
        return
    if lock.is_symlink():  # filelock before 3.20.1 opens and empties the file it points to
        raise ConfigurationError(lock, reason=f"is a symbolic link {UNCHANGED}", hint="Delete it.")
    from filelock import FileLock, Timeout

    held = FileLock(lock, timeout=CLIENT_WAIT)
    try:
        _acquire(held)
    except Timeout:  # the tool is writing, or hangs
        raise _busy(lock) from None
    except OSError as error:  # it belongs to another user
        raise ConfigurationError(
            lock,
            reason=f"cannot be locked: {error.strerror}",
            hint="Check its owner, and that its disk supports locks.",
        ) from None
    try:
        yield
    finally:
        held.release()


def _acquire(lock: BaseFileLock) -> bool:
    """Take ``lock``; return whether the file system has locks.

    filelock warns with its own source line if there are none, which says nothing to users.
    """
    with catch_warnings(record=True) as raised:
        simplefilter("always")
        lock.acquire(poll_interval=_PAUSE)
    return not any("SoftFileLock" in str(one.message) for one in raised)


def refuse_locked(path: Path, descriptor: int) -> None:
    """Check that no other process holds a ``flock`` or ``fcntl`` lock on a file.

    ``descriptor`` is the open file at ``path``.

    Raises:
        ConfigurationError: Another process holds a lock.
    """
    if WINDOWS:  # a locked file cannot be opened there
        return
    import fcntl

    _try_lock(fcntl.flock, path, descriptor)
    _try_lock(fcntl.lockf, path, descriptor)


def _try_lock(lock: Callable[[int, int], None], path: Path, descriptor: int) -> None:
    import fcntl

    try:
        lock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        lock(descriptor, fcntl.LOCK_UN)
    except BlockingIOError:  # another process writes the file
        raise _busy(path) from None
    except OSError:  # the file system has no locks, so there is none
        return


def _busy(path: Path) -> ConfigurationError:
    return ConfigurationError(
        path,
        reason=f"is locked by another process {UNCHANGED}",
        hint="Run this command again when that process has ended.",
    )

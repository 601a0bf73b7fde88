"""One writer at a time, and a bounded wait for it. Readers need no lock."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from conda_token_plugin.errors.store import StoreBusy, StoreUnusable
from conda_token_plugin.gateways.files import LOCK, errors_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = LOCK
WAIT = 30.0
"""Seconds that a writer waits for the others."""
_PAUSE = 0.01


@contextmanager
def locked(folder: Path, *, hint: str = "") -> Iterator[None]:
    """Hold the lock of ``folder``; ``hint`` says what to do if it cannot be made.

    Raises:
        StoreBusy: others held it for ``WAIT`` seconds.
        StoreUnusable: it cannot be made: a read-only folder, no locks on this file system.
    """
    from filelock import FileLock, Timeout

    path = folder / NAME
    lock = FileLock(path, timeout=WAIT, mode=0o600)
    with errors_of(path, hint=hint):
        if path.is_symlink():  # filelock before 3.20.1 opens, and empties, what it leads to
            raise StoreUnusable(path, reason="it is a symbolic link", hint="Delete it.")
        try:
            lock.acquire(poll_interval=_PAUSE)
        except Timeout:  # a writer that hangs, or very many of them
            raise StoreBusy(path, waited=WAIT) from None
    try:
        yield
    finally:
        with suppress(OSError):  # what was to be done is done, and the process's end releases it
            lock.release()

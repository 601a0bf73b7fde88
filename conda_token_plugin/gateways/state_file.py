"""Small JSON files in which the plugin remembers something, such as the last expiry warning.

A file that is missing, damaged, too large, or owned by another user reads as empty, so that
the plugin behaves as it did when it was first used. Writing is atomic. ``update`` holds a lock
while it reads and writes, so that two processes do not overwrite each other's changes.
No state file contains a secret.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from conda_token_plugin.errors.store import StoreError
from conda_token_plugin.gateways import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAX_SIZE = 1024 * 1024
"""Bytes of a state file that are read."""
WAIT = 1.0
"""Seconds that ``update`` waits for another process. A conda command waits for it."""


def read(path: Path) -> object:
    """Return the JSON value in the file at ``path``, or None if it cannot be read."""
    try:
        descriptor = files.opened(path)
    except (OSError, ValueError):  # missing, not permitted, a symbolic link, a null character
        return None
    try:
        if not _is_own(os.fstat(descriptor)):
            return None
        data = files.content(descriptor, limit=MAX_SIZE)
    except OSError:  # a folder, a pipe that delivers nothing, a failing disk
        return None
    finally:
        os.close(descriptor)
    return _decoded(data) if len(data) <= MAX_SIZE else None


def write(path: Path, value: object) -> None:
    """Replace the file at ``path`` with ``value`` as JSON. The caller holds the file's lock.

    Raises:
        StoreUnusable: The file cannot be written, and is unchanged.
    """
    with files.errors_of(path):
        files.replace(path, (json.dumps(value, indent=2) + "\n").encode())


def update(path: Path, change: Callable[[object], object]) -> None:
    """Replace the value in the file at ``path`` with ``change(value)``, under the file's lock.

    A failure is ignored, because nothing depends on a state file: the folder does not exist or
    is read-only, the disk is full, or another process holds the lock for ``WAIT`` seconds.

    Args:
        path: The file.
        change: Takes the present value (None if there is none) and returns the new one.
            The file is deleted if that is None, and not written if the two are equal.
    """
    if not path.parent.is_dir():
        return
    from conda_token_plugin.gateways.locks import locked

    with (
        suppress(StoreError),
        locked(path.parent, name=f"{path.name}{files.LOCK}", wait=WAIT),
        files.errors_of(path),
    ):
        before = read(path)
        after = change(before)
        if after is None:
            files.clear(path)
        elif after != before:
            write(path, after)


def _is_own(status: os.stat_result) -> bool:
    return files.WINDOWS or status.st_uid == os.geteuid()


def _decoded(data: bytes) -> object:
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError):  # damaged, or nested without end
        return None
    return value

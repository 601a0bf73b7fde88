"""Files that belong to other tools: read with suspicion, replaced whole or not at all.

What is refused rather than risked: a symbolic link (it may lead into a repository of dotfiles),
anything that is no plain file, a file of another user (a replacement would change its owner),
and one that another process has locked, or has changed meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.gateways import files, writing
from conda_token_plugin.gateways.client_locks import LEFT, refuse_locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 16 * 1024 * 1024
"""Bytes; no credentials file is larger."""


def content(path: Path) -> bytes | None:
    """The bytes of the file at ``path``, or None if there is none.

    Raises:
        ConfigurationError: it is none that may be replaced, or it cannot be read.
    """
    try:
        descriptor = files.opened(path)
    except (FileNotFoundError, NotADirectoryError):  # the client has never stored anything
        return None
    except OSError as error:  # a link, not permitted
        raise _unreadable(path, error) from None
    try:
        _judge(path, os.fstat(descriptor))
        refuse_locked(path, descriptor)
        return _whole(path, descriptor)
    finally:
        os.close(descriptor)


def is_file(path: Path) -> bool:
    """Whether there is a file, or a link to one; not where we may not even look."""
    try:
        return path.is_file()
    except OSError:  # a folder on the way is somebody else's
        return False


def glance(path: Path) -> bytes | None:
    """The bytes of a file that is only read: it may be a link, or somebody else's.

    Raises:
        ConfigurationError: it cannot be read, or is too large for what we look for.
    """
    try:
        if not is_file(path):
            return None
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:  # not permitted
        raise _unreadable(path, error) from None
    if len(data) > LARGEST:
        raise _too_large(path)
    return data


def replace(path: Path, *, after: bytes, before: bytes | None, mode: int | None = None) -> None:
    """Make ``after`` the content of ``path``, readable by the user alone; or with ``mode``.

    Raises:
        ConfigurationError: it is no longer ``before``, or cannot be written. It is unharmed.
    """
    _compare(path, before)
    temporary = _temporary(path)
    with _written(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        writing.fill(temporary, after)
        if mode is not None:
            temporary.chmod(mode)
        writing.put(temporary, path, after=None)
        writing.sync(path.parent)


def remove(path: Path, *, before: bytes | None, made: str) -> None:
    """Remove ``path``, and the empty folders above it up to ``made``. Raises as ``replace``."""
    _compare(path, before)
    with _written(path):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # something else lies there by now
        for folder in path.parents:
            if len(str(folder)) < len(made) or not made:
                break
            folder.rmdir()


def sweep(path: Path) -> None:
    """Clear away what a ``replace`` that was killed has left beside ``path``."""
    with suppress(OSError):  # the folder is read-only by now
        writing.clear(_temporary(path))


def _temporary(path: Path) -> Path:
    """One a file: those who write hold the ledger's lock."""
    return path.with_name(f".{path.name}.conda-token-plugin.new")


def first_missing(path: Path) -> str:
    """The topmost part of ``path`` that is not there yet: what writing it makes; "" if none."""
    missing = [part for part in (path, *path.parents) if not os.path.lexists(part)]
    return str(missing[-1]) if missing else ""


def _compare(path: Path, before: bytes | None) -> None:
    if content(path) != before:
        raise ConfigurationError(
            path, reason="was changed by another process just now", hint="Run this again."
        )


def _whole(path: Path, descriptor: int) -> bytes:
    data = files.content(descriptor, limit=LARGEST)
    if len(data) > LARGEST:
        raise _too_large(path)
    return data


def _too_large(path: Path) -> ConfigurationError:
    return ConfigurationError(
        path, reason=f"is too large for a file of credentials {LEFT}", hint="Look into it."
    )


def _judge(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(path, reason=f"is no plain file {LEFT}", hint="Move it away.")
    if not files.WINDOWS and status.st_uid != os.geteuid():
        raise ConfigurationError(
            path, reason=f"belongs to another user {LEFT}", hint="Run this as its owner."
        )


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    if error.errno == errno.ELOOP:
        return ConfigurationError(
            path,
            reason=f"is a symbolic link to {path.readlink()} {LEFT}",
            hint="Name the real file with --file, or make this a plain one.",
        )
    return ConfigurationError(
        path, reason=f"cannot be read: {error.strerror}", hint="Make it readable."
    )


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # read-only folder, disk full, open elsewhere on Windows
        raise ConfigurationError(
            path, reason=f"cannot be written: {error.strerror}", hint="Make it writable."
        ) from None

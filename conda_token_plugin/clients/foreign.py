"""Files that belong to other tools: read with suspicion, replaced whole or not at all.

What is refused rather than risked: a symbolic link (it may lead into a repository of dotfiles),
anything that is no plain file, a file of another user (a replacement would change its owner),
and one that another process has locked or has changed meanwhile.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from conda_token_plugin.errors import ConfigurationError

OURS = 0o600
LARGEST = 16 * 1024 * 1024
"""Bytes; no credentials file is larger."""


def content(path: Path) -> bytes | None:
    """The bytes of the file at ``path``, or None if there is none.

    Raises:
        ConfigurationError: it is none that may be replaced, or it cannot be read.
    """
    try:
        _refuse(path, path.lstat())
        with path.open("rb") as file:
            return file.read(LARGEST)
    except FileNotFoundError:  # the client has never stored anything
        return None
    except OSError as error:  # not permitted, or a folder on the way is a file
        raise ConfigurationError(
            path, reason=f"cannot be read: {error.strerror}", hint="Make it readable."
        ) from None


def replace(path: Path, *, after: bytes | None, before: bytes | None) -> None:
    """Make ``after`` the content of ``path``, readable by the user alone; None: remove the file.

    Raises:
        ConfigurationError: it is no longer ``before``, or cannot be written. It is unharmed.
    """
    if content(path) != before:
        raise ConfigurationError(
            path, reason="was changed by another process just now", hint="Run this again."
        )
    try:
        _write(path, after) if after is not None else path.unlink(missing_ok=True)
    except OSError as error:  # read-only folder, disk full, open elsewhere on Windows
        raise ConfigurationError(
            path, reason=f"cannot be written: {error.strerror}", hint="Make it writable."
        ) from None


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:
        temporary = Path(file.name)
        try:
            os.chmod(temporary, OURS)  # noqa: PTH101  # NamedTemporaryFile made it so; be sure
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:  # disk full
            temporary.unlink()
            raise
    try:
        temporary.replace(path)
    except OSError:  # read-only folder, or open elsewhere on Windows
        with suppress(OSError):
            temporary.unlink()
        raise


def _refuse(path: Path, status: os.stat_result) -> None:
    """Raise what is wrong with a file of this ``status``, if anything is."""
    if stat.S_ISLNK(status.st_mode):
        raise ConfigurationError(
            path,
            reason=f"is a symbolic link to {path.readlink()} and was left as it is",
            hint="Make it a plain file, or use another target.",
        )
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(
            path, reason="is no plain file and was left as it is", hint="Move it away."
        )
    if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
        raise ConfigurationError(
            path,
            reason="belongs to another user and was left as it is",
            hint="Run this as its owner.",
        )

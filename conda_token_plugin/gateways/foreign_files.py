"""Read and replace files of other tools.

Some files are refused rather than replaced: a symbolic link (it may point into a repository of
dotfiles), anything but a regular file, a file of another user (replacing it would change its
owner), a file that another process has locked, and one that has changed since it was read.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.gateways import files
from conda_token_plugin.gateways.locks import UNCHANGED, refuse_locked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 16 * 1024 * 1024
"""Maximum size in bytes. No file of credentials is larger."""
CHECK_FILE = "Check its owner, its permissions and the free space."


def absolute(path: Path) -> Path:
    """Return ``path`` as an absolute path.

    Raises:
        BadInput: It is relative, and the working folder does not exist any more.
    """
    try:
        return path.absolute()
    except FileNotFoundError:
        raise BadInput("The working folder does not exist any more.", hint="Run: cd ~") from None


def read_owned(path: Path) -> bytes | None:
    """Return the content of a file that may be replaced, or None if there is no such file.

    Raises:
        ConfigurationError: The file may not be replaced (see above), or cannot be read.
    """
    try:
        descriptor = files.opened(path)
    except (FileNotFoundError, NotADirectoryError):  # the tool has never stored anything
        return None
    except OSError as error:  # a symbolic link, not permitted
        raise _unreadable(path, error) from None
    try:
        _check(path, os.fstat(descriptor))
        refuse_locked(path, descriptor)
        return _whole(path, descriptor)
    finally:
        os.close(descriptor)


def is_file(path: Path) -> bool:
    """Return whether ``path`` is a file or a link to one. False if its folder is not readable."""
    try:
        return path.is_file()
    except OSError:  # a folder on the way belongs to another user
        return False


def matching(folder: Path, pattern: str) -> list[Path]:
    """Return the files in ``folder`` whose names match, sorted; none if it is not readable."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:  # it belongs to another user (pathlib of Python 3.13 yields nothing)
        return []


def read_any(path: Path) -> bytes | None:
    """Return the content of a file that is only read, or None if there is no such file.

    The file may be a symbolic link and may belong to another user.

    Raises:
        ConfigurationError: The file cannot be read, or is larger than ``LARGEST``.
    """
    try:
        if not is_file(path):
            return None
        data = files.read(path, limit=LARGEST)
    except OSError as error:  # not permitted
        raise _unreadable(path, error) from None
    if len(data) > LARGEST:
        raise _too_large(path)
    return data


def refuse_special(path: Path) -> None:
    """Raise if ``path`` is a folder, a pipe or a device, which must not be replaced by a file.

    Raises:
        ConfigurationError: It is.
    """
    if path.exists() and not path.is_file():
        raise ConfigurationError(path, reason="is not a regular file", hint="Move it away.")


def replace(path: Path, *, after: bytes, before: bytes | None, keep_mode: bool = False) -> None:
    """Replace the content of ``path``, and create the file and its folders if necessary.

    Args:
        path: The file.
        after: The new content.
        before: The content that the caller has read. None: there was no file.
        keep_mode: Whether the permissions stay as they are; otherwise only the user may read the
            new file (0600).

    Raises:
        ConfigurationError: The content is no longer ``before``, or the file cannot be written.
            It is unchanged.
    """
    _compare(path, before)
    with writing(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = stat.S_IMODE(path.stat().st_mode) if keep_mode else None
        files.replace(path, after, temporary=_temporary(path), mode=mode)


def remove(path: Path, *, before: bytes | None, created: str) -> None:
    """Remove the file ``path``, and the empty folders above it that the plugin created.

    Args:
        path: The file.
        before: The content that the caller has read. None: there was no file.
        created: The topmost file or folder that the plugin created. Empty: no folder.

    Raises:
        ConfigurationError: As ``replace``.
    """
    _compare(path, before)
    with writing(path):
        path.unlink(missing_ok=True)
    with suppress(OSError):  # the folder contains something else by now
        for folder in path.parents:
            if len(str(folder)) < len(created) or not created:
                break
            folder.rmdir()


@contextmanager
def writing(path: Path, *, hint: str = CHECK_FILE) -> Iterator[None]:
    """Convert an OSError of the block, which writes ``path``, to an error with this hint.

    Raises:
        ConfigurationError: The block raised an OSError.
    """
    try:
        yield
    except OSError as error:  # a read-only folder, a full disk, open elsewhere on Windows
        raise ConfigurationError(
            path,
            reason=f"cannot be written: {error.strerror}",
            hint=hint,
        ) from None


def sweep(path: Path) -> None:
    """Delete the temporary file that a killed ``replace`` of ``path`` has left."""
    with suppress(OSError):  # the folder is read-only by now
        files.clear(_temporary(path))


def topmost_missing(path: Path) -> str:
    """Return the topmost part of ``path`` that does not exist, or an empty string."""
    missing = [part for part in (path, *path.parents) if not os.path.lexists(part)]
    return str(missing[-1]) if missing else ""


def _temporary(path: Path) -> Path:
    # One name for each file is enough: writers hold the lock of the export record.
    return path.with_name(f".{path.name}.conda-token-plugin.new")


def _compare(path: Path, before: bytes | None) -> None:
    if read_owned(path) != before:
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
        path, reason=f"is too large for a file of credentials {UNCHANGED}", hint="Check the file."
    )


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigurationError(
            path, reason=f"is not a regular file {UNCHANGED}", hint="Move it away."
        )
    if not files.WINDOWS and status.st_uid != os.geteuid():
        raise ConfigurationError(
            path, reason=f"belongs to another user {UNCHANGED}", hint="Run this as its owner."
        )


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    if error.errno == errno.ELOOP:
        return ConfigurationError(
            path,
            reason=f"is a symbolic link to {path.readlink()} {UNCHANGED}",
            hint="Name the real file with --file, or replace the link with a regular file.",
        )
    return ConfigurationError(
        path,
        reason=f"cannot be read: {error.strerror}",
        hint="Check its owner and its permissions.",
    )

"""Secrets in files, such as those that ``ANACONDA_REPO_TOKEN_FILE`` names.

A file is read once in a process and its value shared between threads: a process substitution
(``<(command)``) can be read only once, and conda asks for the token in several threads.
A pipe must deliver its content within ``WAIT``; other special files are refused.
"""

from __future__ import annotations

import os
import select
import stat
import sys
import time
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from threading import Lock
from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.tokens.secret import Secret, fault_of

if TYPE_CHECKING:
    from pathlib import Path

MAX_SIZE = 64 * 1024
"""Bytes that are read. Longer content is not a token."""
WAIT = 5.0
"""Seconds in which a pipe must deliver its content. A conda command waits for it."""
_PAUSE = 0.02
"""Seconds between two attempts to read a FIFO that no process has opened for writing."""
_CACHE: dict[tuple[str, int, int, int], Secret | TokenPluginError] = {}
"""The secrets and errors of this process, by path, inode, size and modification time."""
_LOCK = Lock()


def secret_of(value: str, *, where: str) -> Secret:
    """Return ``value`` as a secret.

    Raises:
        MalformedToken: It cannot be a token or key. The message names ``where``.
    """
    fault = fault_of(value)
    if fault:
        from conda_token_plugin.errors.input import MalformedToken

        raise MalformedToken(fault, where=where)
    return Secret(value)


def secret_in(path: Path, *, named_by: str = "") -> Secret:
    """Return the secret in the file at ``path``.

    The text is UTF-8, or UTF-16 with a byte order mark; line breaks at its end do not count.

    ``path`` may also be a link or a pipe. ``named_by`` is the variable that contains it, for
    messages.

    Raises:
        MalformedToken: The content cannot be a token or key.
        StoreUnusable: The file cannot be read, or a pipe delivered nothing within ``WAIT``.
    """
    with _LOCK:
        try:
            status = path.stat()
        except (OSError, ValueError) as error:  # missing, not permitted; a null character
            raise _unusable(path, getattr(error, "strerror", None), named_by=named_by) from None
        key = (str(path), status.st_ino, status.st_size, status.st_mtime_ns)
        if not stat.S_ISREG(status.st_mode):
            key = (str(path), status.st_ino, 0, 0)  # a pipe changes while it is read
        found = _CACHE.get(key)
        if found is None:
            found = _CACHE[key] = _read(path, mode=status.st_mode, named_by=named_by)
    if isinstance(found, TokenPluginError):
        raise found
    return found


def _read(path: Path, *, mode: int, named_by: str) -> Secret | TokenPluginError:
    """Return the secret, or the error that each use of the file will raise."""
    try:
        return secret_of(_text(path, mode=mode).strip(), where=str(path))
    except OSError as error:  # not permitted, a folder, a pipe that delivers nothing
        return _unusable(path, error.strerror, named_by=named_by)
    except TokenPluginError as error:
        return error


def mounted_text(path: Path) -> str:
    """Return the text of a file that is mounted in place of a variable, without space around it.

    Raises:
        StoreUnusable: The file cannot be read.
    """
    try:
        return text_in(path).strip()
    except OSError as error:  # not permitted, a folder
        raise _unusable(path, error.strerror, named_by="") from None


def text_in(path: Path) -> str:
    """Return the text of a file that the user named. It is read again by each call.

    Raises:
        OSError: The file cannot be read, or a pipe delivered nothing within ``WAIT``.
        ValueError: The path contains a null character.
    """
    return _text(path, mode=path.stat().st_mode)


def standard_input() -> str:
    """Return the text of standard input; of a longer one, its beginning; of a closed one, nothing.

    The bytes are decoded here, because Python decodes them in the encoding of the locale.
    """
    if sys.stdin is None:
        return ""
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:  # replaced by a program that calls this one
        return sys.stdin.read(MAX_SIZE + 1)
    return decoded(stream.read(MAX_SIZE + 1))


def decoded(data: bytes) -> str:
    """Return the text in ``data``: UTF-8, or UTF-16 with a byte order mark."""
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    return data.removeprefix(BOM_UTF8).decode("utf-8", "replace")


def _text(path: Path, *, mode: int) -> str:
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise OSError(0, "it is neither a regular file nor a pipe")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        is_pipe = stat.S_ISFIFO(mode)
        return decoded(_from_pipe(descriptor) if is_pipe else os.read(descriptor, MAX_SIZE + 1))
    finally:
        os.close(descriptor)


def _from_pipe(descriptor: int) -> bytes:
    deadline = time.monotonic() + WAIT
    data = bytearray()
    while (left := deadline - time.monotonic()) > 0:
        select.select([descriptor], [], [], left)
        try:
            piece = os.read(descriptor, MAX_SIZE)
        except BlockingIOError:  # nothing was written until the deadline
            continue
        if not piece and data:
            return bytes(data)
        if not piece:  # no process has opened it for writing yet
            time.sleep(_PAUSE)
        data += piece
        if len(data) > MAX_SIZE:
            return bytes(data)
    raise OSError(0, f"it is a pipe without complete content within {WAIT:g} seconds")


def _unusable(path: Path, reason: str | None, *, named_by: str) -> TokenPluginError:
    from conda_token_plugin.errors.store import StoreUnusable

    hint = f"Check {named_by}, which names this file." if named_by else "Check this path."
    return StoreUnusable(path, reason=reason or "it cannot be read", hint=hint)

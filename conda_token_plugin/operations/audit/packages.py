"""Read the metadata in conda packages: the files below ``info/``, as the build wrote them.

A ``.tar.bz2`` package is one archive; a ``.conda`` package is a zip file that contains
``info-….tar.zst`` (https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html).
Python reads zstandard since 3.14; before that a library is needed, which conda installs with.

Packages are untrusted: memory and work are bounded regardless of the headers, and every fault of
an archive becomes one `Unreadable`.
"""

from __future__ import annotations

import bz2
import struct
import tarfile
import zipfile
import zlib
from contextlib import suppress
from importlib import import_module
from lzma import LZMAError
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_MEMBER = 4 * 1024 * 1024
"""Bytes of one file that are searched, and of a zip file's directory that are accepted."""
MAX_SEARCHED = 24 * 1024 * 1024
"""Bytes of all files that are searched."""
MAX_UNPACKED = 256 * 1024 * 1024
"""Bytes that are unpacked from one archive, 4 MiB at a time."""
MAX_HEADER = 16 * 1024
"""Bytes of one header of an archive. `tarfile` takes quadratic time for it before Python 3.11.10
and 3.12.6 (CVE-2024-6232): hours for 4 MiB, half a second for this size."""
MAX_HEADERS = 32 * MAX_HEADER
"""Bytes of all headers that are larger than one block."""
_WINDOW_LOG = 25
"""Base-2 logarithm of the memory that zstandard may use: 32 MiB."""
_CHUNK = 256 * 1024
_END_RECORD = 22
_FAULTS = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError),
    *(ValueError, RuntimeError, struct.error),
)
"""A damaged archive. RuntimeError: an encrypted one, and its subclasses for an unknown compression
(NotImplementedError) and for nested headers (RecursionError)."""


class Unreadable(Exception):
    """A file cannot be searched. The message completes the sentence "PATH …"."""


def metadata(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the ``info/`` files of a package.

    Raises:
        Unreadable: The package is damaged, encrypted or too large, or a library is missing.
    """
    try:
        if path.name.endswith(".conda"):
            yield from _in_conda(path)
        else:
            with bz2.open(path) as plain:
                yield from _members(plain)
    except _FAULTS:
        raise Unreadable("is not a package that can be read") from None


class _Bounded:
    """A stream that ends with an error after `MAX_UNPACKED` bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._at = 0

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        if self._at + size > MAX_UNPACKED:
            raise Unreadable("is too large; the rest was not searched")
        data = self._stream.read(size)
        self._at += len(data)
        return data


class _Archive(_Bounded):
    """The stream of an archive. `tarfile` calls `read` for headers only."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream)
        self._large = self._searched = 0

    def read(self, size: int) -> bytes:
        self._large += size if size > tarfile.BLOCKSIZE else 0
        if not 0 <= size <= MAX_HEADER or self._large > MAX_HEADERS:
            raise Unreadable("has a header that is too large; the rest was not searched")
        return super().read(size)

    def seek(self, target: int, whence: int = 0) -> int:
        """Skip forward to an absolute position."""
        if whence or target < self._at:
            raise ValueError("only forward")
        while self._at < target and super().read(min(_CHUNK, target - self._at)):
            pass
        return self._at

    def content(self, member: tarfile.TarInfo, *, end: int) -> bytes:
        """Return the stored bytes of ``member``, which ends at ``end``, or their beginning."""
        self.seek(member.offset_data)
        size = min(member.size, end - self._at, MAX_MEMBER)
        self._searched += size
        if self._searched > MAX_SEARCHED:
            raise Unreadable("is too large; the rest was not searched")
        return super().read(size)


def _in_conda(path: Path) -> Iterator[tuple[str, bytes]]:
    _refuse_large_directory(path)
    with zipfile.ZipFile(path) as package:
        names = [
            name
            for name in package.namelist()
            if name.startswith("info-") and name.endswith(".tar.zst")
        ]
        if len(names) > 1:
            raise Unreadable("has more than one archive of metadata, and was not searched")
        for name in names:
            with package.open(name) as packed:
                yield from _in_info(_Bounded(packed))


def _in_info(packed: _Bounded) -> Iterator[tuple[str, bytes]]:
    library = _library()
    try:
        with _unpacked(packed, library=library) as plain:
            yield from _members(plain)
    except library.ZstdError:
        raise ValueError("damaged zstandard data") from None


def _refuse_large_directory(path: Path) -> None:
    """Refuse a zip file whose directory is large, because `zipfile` reads it into memory."""
    with path.open("rb") as file:
        start = max(0, file.seek(0, 2) - 65_535 - _END_RECORD)
        file.seek(start)
        tail = file.read()
    found = tail.rfind(b"PK\x05\x06", 0, len(tail) - _END_RECORD + 4)
    size = struct.unpack_from("<L", tail, found + 12)[0] if found >= 0 else 0
    if size > MAX_MEMBER:
        raise Unreadable("has a directory that is too large, and was not searched")


def _members(plain: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    stream = _Archive(plain)
    with tarfile.open(fileobj=stream, mode="r:") as archive:  # type: ignore[call-overload]  # a part of IO
        while (member := archive.next()) is not None:
            archive.members.clear()  # otherwise it keeps every header
            if member.isfile() and member.name.startswith("info/"):
                yield member.name, stream.content(member, end=archive.offset)


def _library() -> Any:
    """Return the first zstandard library that is installed."""
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        with suppress(ImportError):  # only packages need one
            return import_module(name)
    raise Unreadable("was not searched: install backports.zstd for .conda files")


def _unpacked(packed: _Bounded, *, library: Any) -> Any:
    if hasattr(library, "ZstdFile"):
        limit = {library.DecompressionParameter.window_log_max: _WINDOW_LOG}
        return library.ZstdFile(packed, options=limit)
    return library.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG).stream_reader(packed)

"""The metadata inside of conda packages: whatever is below ``info/``, as a build left it there.

A ``.tar.bz2`` is one archive; a ``.conda`` is a zip file with ``info-….tar.zst`` in it
(https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html).
Python reads zstandard since 3.14; before that the ``zstandard`` library does, where there is one.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from importlib import import_module
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 4 * 1024 * 1024
"""Bytes of a member that are looked at."""
MOST = 256 * 1024 * 1024
"""Bytes of unpacked metadata that are looked at: there are archives made to explode."""


class Unreadable(Exception):
    """A package cannot be looked into; the text finishes the sentence "PATH …"."""


def metadata(path: Path) -> Iterator[tuple[str, bytes]]:
    """The names and contents of a package's ``info/`` files.

    Raises:
        Unreadable: it is damaged, or needs a library that is not there.
    """
    try:
        if path.name.endswith(".conda"):
            yield from _in_conda(path)
        else:
            with tarfile.open(path, "r:bz2") as archive:
                yield from _members(archive)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, ValueError):
        raise Unreadable("is no package that can be read") from None


def _in_conda(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            if name.startswith("info-") and name.endswith(".tar.zst"):
                with (
                    package.open(name) as packed,
                    _unpacked(packed) as plain,
                    tarfile.open(fileobj=plain, mode="r|") as archive,
                ):
                    yield from _members(archive)


def _members(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    left = MOST
    for member in archive:
        if not (member.isfile() and member.name.startswith("info/")):
            continue
        file = archive.extractfile(member)
        data = b"" if file is None else file.read(min(LARGEST, left))
        left -= len(data)
        yield member.name, data


def _unpacked(packed: IO[bytes]) -> IO[bytes]:
    try:
        zstd = import_module("compression.zstd")
    except ImportError:  # Python before 3.14
        return _unpacked_by_library(packed)
    return io.BytesIO(zstd.ZstdFile(packed).read(MOST))


def _unpacked_by_library(packed: IO[bytes]) -> IO[bytes]:
    try:
        zstandard = import_module("zstandard")
    except ImportError:  # it comes with conda, and is nothing that we need otherwise
        raise Unreadable("was not looked into: install zstandard for .conda files") from None
    try:
        return io.BytesIO(zstandard.ZstdDecompressor().stream_reader(packed).read(MOST))
    except zstandard.ZstdError:
        raise ValueError("it is no zstandard") from None

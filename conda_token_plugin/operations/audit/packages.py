"""The metadata inside of conda packages: whatever is below ``info/``, as a build left it there.

A ``.tar.bz2`` is one archive; a ``.conda`` is a zip file with ``info-….tar.zst`` in it
(https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html).
Python reads zstandard since 3.14; before that a library does, where there is one (conda has one).
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from contextlib import suppress
from importlib import import_module
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

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
    """Whichever of the libraries for zstandard is there."""
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        with suppress(ImportError):  # Python before 3.14; nothing that we need otherwise
            return _unpacked_by(import_module(name), packed)
    raise Unreadable("was not looked into: install backports.zstd for .conda files")


def _unpacked_by(library: ModuleType, packed: IO[bytes]) -> IO[bytes]:
    try:
        if hasattr(library, "ZstdFile"):
            return io.BytesIO(library.ZstdFile(packed).read(MOST))
        return io.BytesIO(library.ZstdDecompressor().stream_reader(packed).read(MOST))
    except library.ZstdError:
        raise ValueError("it is no zstandard") from None

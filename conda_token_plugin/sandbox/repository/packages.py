"""Make the channels: real packages of a few hundred bytes each, and their index.

`conda-package-streaming`, which conda uses too, writes the `.conda` format and provides zstandard;
`msgpack` writes shards. `py-rattler-build` makes both formats in one call, but is 80 MB. And
`rattler.index.index_fs` writes all kinds of repodata, but in one of five runs its threads crash the
interpreter at its exit (py-rattler 0.28).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conda_token_plugin.sandbox.repository.channels import CHANNELS, subdirs
from conda_token_plugin.sandbox.repository.index import write_index
from conda_token_plugin.sandbox.repository.libraries import library

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.sandbox.repository.channels import Channel, Recipe

MADE = 1_767_225_600  # 2026-01-01, in seconds since the epoch


def build_channels(directory: Path) -> Path:
    """Make all channels below `directory`, unless they exist already; return their folder.

    Several processes may do this at once. The result of the first one is kept.

    Raises:
        MissingLibraryError: a library of the `demo` extra is not installed.
    """
    channels = directory / "channels"
    if not channels.is_dir():
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix="making-") as scratch:
            made = Path(scratch, "channels")
            for channel in CHANNELS:
                build_channel(channel, made / channel.path)
            with contextlib.suppress(OSError):  # another process was first
                made.rename(channels)
    return channels


def build_channel(channel: Channel, directory: Path) -> None:
    """Make one channel: its packages, and the repodata of each subdir.

    Raises:
        MissingLibraryError: a library of the `demo` extra is not installed.
    """
    for subdir in subdirs():
        place = directory / subdir
        place.mkdir(parents=True)
        recipes = (r for r in channel.recipes if r.noarch == (subdir == "noarch"))
        records = dict(_build_package(recipe, subdir, place) for recipe in recipes)
        write_index(place, records, zst=channel.zst, shards=channel.shards)
    (directory / "notices.json").write_text(json.dumps({"notices": []}), encoding="utf-8")


def _build_package(recipe: Recipe, subdir: str, place: Path) -> tuple[str, dict[str, Any]]:
    stem = f"{recipe.name}-{recipe.version}-0"
    index = _index_json(recipe, subdir)
    files = _with_info(_payload(recipe), index)
    package = place / f"{stem}{recipe.suffix}"
    write = _write_conda if recipe.suffix == ".conda" else _write_tar_bz2
    write(package, stem, files)
    data = package.read_bytes()
    return package.name, index | _checksums(data)


def _index_json(recipe: Recipe, subdir: str) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "version": recipe.version,
        "build": "0",
        "build_number": 0,
        "depends": list(recipe.depends),
        "license": "BSD-3-Clause",
        "subdir": subdir,
        "timestamp": MADE * 1000,
    } | ({"noarch": "generic"} if recipe.noarch else {})


def _payload(recipe: Recipe) -> dict[str, bytes]:
    words = f"hello from {recipe.name} {recipe.version}\n"
    return {
        f"bin/{recipe.name}": f"#!/bin/sh\necho '{words.strip()}'\n".encode(),
        f"share/{recipe.name}.txt": words.encode(),
    }


def _with_info(payload: Mapping[str, bytes], index: Mapping[str, Any]) -> dict[str, bytes]:
    paths = [
        {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size_in_bytes": len(data),
        }
        for path, data in payload.items()
    ]
    return {
        "info/index.json": json.dumps(index).encode(),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
        "info/files": "".join(f"{path}\n" for path in payload).encode(),
        "info/about.json": json.dumps({"summary": "a package of the sandbox"}).encode(),
        **payload,
    }


def _checksums(data: bytes) -> dict[str, Any]:
    return {
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
    }


def _write_tar_bz2(package: Path, stem: str, files: Mapping[str, bytes]) -> None:
    del stem  # part of the name only
    with tarfile.open(package, "w:bz2") as archive:
        _add(archive, files)


def _write_conda(package: Path, stem: str, files: Mapping[str, bytes]) -> None:
    create = library("conda_package_streaming.create")
    with create.conda_builder(stem, package.parent, compression_level=3) as archive:
        _add(archive, files)


def _add(archive: tarfile.TarFile, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        member = tarfile.TarInfo(name)
        member.size, member.mtime = len(data), MADE
        member.mode = 0o755 if name.startswith("bin/") else 0o644
        archive.addfile(member, io.BytesIO(data))

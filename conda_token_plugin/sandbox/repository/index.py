"""Write the index of a subdir: repodata.json, repodata.json.zst and shards (CEP 16)."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from conda_token_plugin.sandbox.repository.libraries import ZSTD, library

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Records = Mapping[str, Mapping[str, Any]]


def write_index(place: Path, records: Records, *, zst: bool, shards: bool) -> None:
    """Write the index of the packages in `place`.

    Args:
        place: The folder of the subdir, which has its name.
        records: The repodata record of each file name.
        zst: Whether to also write repodata.json.zst.
        shards: Whether to also write sharded repodata.

    Raises:
        MissingLibraryError: a library of the `demo` extra is not installed.
    """
    repodata = {"info": {"subdir": place.name}, **_by_format(records), "repodata_version": 1}
    data = json.dumps(repodata, indent=1).encode()
    (place / "repodata.json").write_bytes(data)
    if zst:
        (place / "repodata.json.zst").write_bytes(library(ZSTD).compress(data))
    if shards:
        _write_shards(place, records)


def _by_format(records: Records) -> dict[str, Any]:
    conda = {name: record for name, record in records.items() if name.endswith(".conda")}
    older = {name: record for name, record in records.items() if name not in conda}
    return {"packages": older, "packages.conda": conda, "removed": []}


def _write_shards(place: Path, records: Records) -> None:
    folder = place / "shards"
    folder.mkdir()
    shards = {}
    for package in sorted({record["name"] for record in records.values()}):
        own = {name: _binary(r) for name, r in records.items() if r["name"] == package}
        data = _packed(_by_format(own))
        digest = hashlib.sha256(data)
        (folder / f"{digest.hexdigest()}.msgpack.zst").write_bytes(data)
        shards[package] = digest.digest()
    info = {"subdir": place.name, "base_url": "", "shards_base_url": "./shards/"}
    (place / "repodata_shards.msgpack.zst").write_bytes(_packed({"info": info, "shards": shards}))


def _binary(record: Mapping[str, Any]) -> dict[str, Any]:
    # CEP 16 has checksums as bytes, where repodata.json has hexadecimal digits.
    return {k: bytes.fromhex(v) if k in ("md5", "sha256") else v for k, v in record.items()}


def _packed(value: object) -> bytes:
    packed: bytes = library(ZSTD).compress(library("msgpack").packb(value))
    return packed

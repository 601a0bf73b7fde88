"""What the channels are made of."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.sandbox.repository.channels import CHANNELS, subdirs
from conda_token_plugin.sandbox.repository.libraries import ZSTD, MissingLibraryError
from conda_token_plugin.sandbox.repository.packages import build_channels

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def channels(packages: Path) -> Path:
    return build_channels(packages)


def repodata(channels: Path, subdir: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((channels / subdir / "repodata.json").read_bytes())
    return read


def unpacked(data: bytes) -> Any:
    return importlib.import_module("msgpack").unpackb(decompressed(data))


def decompressed(data: bytes) -> bytes:
    plain: bytes = importlib.import_module(ZSTD).decompress(data)
    return plain


def test_every_package_is_in_the_index_with_its_checksums(channels: Path) -> None:
    found = 0
    for channel in CHANNELS:
        for subdir in subdirs():
            index = repodata(channels, f"{channel.path}/{subdir}")
            records = index["packages"] | index["packages.conda"]
            folder = channels / channel.path / subdir
            files = {f.name: f for f in folder.iterdir() if f.name.endswith((".conda", ".bz2"))}
            assert set(records) == set(files)
            for name, file in files.items():
                data = file.read_bytes()
                assert records[name]["sha256"] == hashlib.sha256(data).hexdigest()
                assert records[name]["md5"] == hashlib.md5(data).hexdigest()
                assert records[name]["size"] == len(data)
                found += 1
    assert found >= 2 * len(CHANNELS)


def test_zst_repodata_equals_the_json(channels: Path) -> None:
    folder = channels / "acme/main/noarch"
    packed = (folder / "repodata.json.zst").read_bytes()
    assert decompressed(packed) == (folder / "repodata.json").read_bytes()


def test_shards_equal_the_json(channels: Path) -> None:
    folder = channels / "acme/private/noarch"
    index = unpacked((folder / "repodata_shards.msgpack.zst").read_bytes())
    assert index["info"]["subdir"] == "noarch"
    (digest,) = index["shards"].values()
    data = (folder / index["info"]["shards_base_url"] / f"{digest.hex()}.msgpack.zst").read_bytes()
    assert hashlib.sha256(data).digest() == digest
    shard, whole = unpacked(data), repodata(channels, "acme/private/noarch")
    for part in ("packages", "packages.conda"):
        for name, record in shard[part].items():
            readable = {k: v.hex() if isinstance(v, bytes) else v for k, v in record.items()}
            assert readable == whole[part][name]
        assert set(shard[part]) == set(whole[part])


def test_existing_channels_are_not_built_again(tmp_path: Path) -> None:
    marker = build_channels(tmp_path) / "marker"
    marker.touch()
    assert build_channels(tmp_path) == marker.parent
    assert marker.exists()


def test_concurrent_builds_leave_one_complete_set_and_no_other_file(tmp_path: Path) -> None:
    there = tmp_path / "there"
    builders = [threading.Thread(target=build_channels, args=(there,)) for _ in range(4)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert [f.name for f in there.iterdir()] == ["channels"]
    indexes = there.rglob("noarch/repodata.json")
    built = {f.parents[1].relative_to(there / "channels").as_posix() for f in indexes}
    assert built == {channel.path for channel in CHANNELS}


@pytest.mark.parametrize("name", ["msgpack", "conda_package_streaming.create", ZSTD])
def test_missing_library_is_reported_with_the_extra(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingLibraryError) as raised:
        build_channels(tmp_path / "there")
    assert name in str(raised.value)
    assert str(raised.value).endswith('pip install "conda-token-plugin[demo]"')
    assert list((tmp_path / "there").iterdir()) == []

"""State files: damage reads as empty, concurrent updates are kept, failures are ignored."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import StoreUnusable
from conda_token_plugin.gateways import state_file
from conda_token_plugin.gateways.locks import locked

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS = sys.platform == "win32"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder / "notes.json"


def append(path: Path, number: int) -> None:
    def change(old: object) -> object:
        return [*(old if isinstance(old, list) else []), number]

    state_file.update(path, change)


def test_written_value_is_read_again(path: Path) -> None:
    state_file.write(path, {"a": [1]})
    assert state_file.read(path) == {"a": [1]}
    assert [one.name for one in path.parent.iterdir()] == ["notes.json"]
    if not WINDOWS:
        assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"\0", b"{} {}"])
def test_damaged_file_reads_as_empty_and_is_replaced_by_update(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert state_file.read(path) is None
    append(path, 1)
    assert state_file.read(path) == [1]


def test_file_that_is_too_large_reads_as_empty(path: Path) -> None:
    path.write_text(json.dumps("x" * state_file.MAX_SIZE))
    assert state_file.read(path) is None


@pytest.mark.skipif(WINDOWS, reason="Windows has neither FIFOs nor links for every user")
@pytest.mark.parametrize("kind", ["fifo", "folder", "link"])
def test_path_that_is_no_regular_file_reads_as_empty_without_waiting(path: Path, kind: str) -> None:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        (path.parent / "other").write_text("[1]")
        path.symlink_to(path.parent / "other")
    assert state_file.read(path) is None


def test_update_in_many_processes_loses_no_change(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_file, "WAIT", 60.0)
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        for done in [pool.submit(append, path, number) for number in range(40)]:
            done.result()
    numbers = state_file.read(path)
    assert isinstance(numbers, list)
    assert sorted(numbers) == list(range(40))


def test_update_without_a_value_deletes_the_file(path: Path) -> None:
    state_file.write(path, [1])
    state_file.update(path, lambda _: None)
    assert not path.exists()


def test_update_in_a_folder_that_does_not_exist_creates_nothing(tmp_path: Path) -> None:
    append(tmp_path / "absent" / "notes.json", 1)
    assert not (tmp_path / "absent").exists()


def test_update_gives_up_when_another_holds_the_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_file, "WAIT", 0.05)
    with locked(path.parent, name="notes.json.lock"):
        append(path, 1)
    assert state_file.read(path) is None


def test_failing_disk_stops_write_but_not_update(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_file.write(path, [1])

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreUnusable, match="No space left on device"):
        state_file.write(path, [2])
    append(path, 2)
    assert state_file.read(path) == [1]

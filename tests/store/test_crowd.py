"""Many at once: processes that write, threads that read."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.gateways import files
from conda_token_plugin.store import Store
from conda_token_plugin.store.vaults import FileVault
from tests.store import crowd, made

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROCESSES, WRITES = 64, 25
THREADS, READS = 32, 40


@pytest.mark.slow
def test_64_processes_that_write_at_once_lose_nothing_and_double_nothing(
    sealed_room: Path, report: Callable[[str], None]
) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "tests.store.crowd", str(sealed_room), str(PROCESSES), str(WRITES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    store = Store(sealed_room / "store")
    held = {token.organization: store.secret(token.key).reveal() for token in store.tokens()}
    shared = held.pop(crowd.SHARED)
    assert held == crowd.expected(PROCESSES, WRITES)
    last = store.token(made.token(crowd.SHARED).key)
    assert last is not None
    assert shared == made.value(last.last_four), "the metadata and the secret of one write"
    store.update(last)
    assert made.files(store.folder) == made.live(store.folder)
    adds = PROCESSES * WRITES * 4 // 5
    assert made.index_of(store.folder).serial == adds + 1, "each secret had a slot of its own"
    report(
        f"{PROCESSES} processes x {WRITES} writes and removals at once: "
        f"{len(held) + 1} tokens, none lost, none doubled"
    )


def test_32_threads_read_while_one_writes(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", choice="file")
    token = made.token("acme")
    store.add(token, made.secret(0))
    known = [made.value(number) for number in range(READS)]

    def read(_: int) -> int:
        newest = 0
        for _ in range(READS):
            newest = max(newest, known.index(store.secret(token.key).reveal()))
            assert store.prefixes()[token.scope[0]] == token.key
        return newest

    def write() -> None:
        for number in range(1, READS):
            store.add(token, made.secret(number))

    with ThreadPoolExecutor(THREADS + 1) as pool:
        writing = pool.submit(write)
        seen = list(pool.map(read, range(THREADS)))
        writing.result()
    assert len(seen) == THREADS
    assert store.secret(token.key) == made.secret(READS - 1)


def test_threads_may_write_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", choice="file")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.add(made.token(f"org{n}"), made.secret(n)), range(24)))
    assert {token.organization for token in store.tokens()} == {f"org{n}" for n in range(24)}


def test_the_index_is_opened_once_however_many_threads_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path / "store", choice="file").add(made.token("acme"), made.secret(1))
    opened: list[str] = []
    real = files.opened

    def counting(path: Path) -> int:
        opened.append(path.name)
        time.sleep(0.05)  # long enough for all to come
        return real(path)

    monkeypatch.setattr(files, "opened", counting)
    store = Store(tmp_path / "store")
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: (store.tokens(), store.prefixes()), range(THREADS * 4)))
    assert opened == ["index.jsonl"]
    Store(tmp_path / "store", choice="file").update(made.token("acme", last_four="abcd"))
    opened.clear()
    for _ in range(10):
        store.tokens()
    assert opened == ["index.jsonl"]


def test_a_version_of_the_index_is_always_later_than_the_one_before(tmp_path: Path) -> None:
    """So that no two look alike from outside, though a clock stands still or is set back."""
    reader = Store(tmp_path / "store")
    writer = Store(tmp_path / "store", choice="file")
    writer.add(made.token("acme"), made.secret(1))
    index = tmp_path / "store" / "index.jsonl"
    tomorrow = time.time_ns() + 10**14
    os.utime(index, ns=(tomorrow, tomorrow))
    for number in range(1, 4):
        before = index.stat()
        writer.update(made.token("acme", last_four=f"{number:04}"))
        assert index.stat().st_mtime_ns == before.st_mtime_ns + 1
        assert reader.tokens()[0].last_four == f"{number:04}"


def test_a_secret_that_is_replaced_while_it_is_read_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store", choice="file")
    token = made.token("acme")
    store.add(token, made.secret(1))
    real = FileVault.get
    times = iter(range(3))

    def get(self: FileVault, entry: str) -> bytes | None:
        for number in times:  # three times, another is faster
            Store(tmp_path / "store", choice="file").add(token, made.secret(10 + number))
            break
        return real(self, entry)

    monkeypatch.setattr(FileVault, "get", get)
    assert store.secret(token.key) == made.secret(12)


def test_a_secret_that_is_removed_while_it_is_read_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store", choice="file")
    store.add(made.token("acme"), made.secret(1))
    real = FileVault.get

    def get(self: FileVault, entry: str) -> bytes | None:
        Store(tmp_path / "store", choice="file").remove(made.token("acme").key)
        return real(self, entry)

    monkeypatch.setattr(FileVault, "get", get)
    with pytest.raises(NoToken, match="none is stored at all"):
        store.secret(made.token("acme").key)

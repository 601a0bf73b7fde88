"""Concurrent writers and readers, in processes and threads."""

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
from tests.store import children, stores
from tests.support import tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conda_token_plugin.tokens.secret import Secret

PROCESSES, WRITES = 64, 25
THREADS, READS = 32, 40


@pytest.mark.slow
def test_64_concurrent_writers_lose_and_duplicate_nothing(
    empty_home: Path, report: Callable[[str], None]
) -> None:
    child = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.store.children",
            "write_concurrently",
            str(empty_home),
            str(PROCESSES),
            str(WRITES),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    store = Store(empty_home / "store")
    held = {token.organization: store.secret(token.key).reveal() for token in store.tokens()}
    shared = held.pop(children.SHARED)
    assert held == children.expected(PROCESSES, WRITES)
    last = store.token(tokens.token(children.SHARED).key)
    assert last is not None
    assert shared == tokens.value(last.last_four), "the metadata and the secret of one write"
    store.update(last)
    assert stores.files(store.folder) == stores.live(store.folder)
    adds = PROCESSES * WRITES * 4 // 5
    assert stores.index_of(store.folder).serial == adds + 1, "each secret had a slot of its own"
    report(
        f"{PROCESSES} processes x {WRITES} writes and removals at once: "
        f"{len(held) + 1} tokens, none lost, none doubled"
    )


def test_32_threads_read_matching_metadata_and_secret_while_one_writes(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", choice="file")
    token = tokens.token("acme")
    store.add(token, tokens.secret(0))
    known = [tokens.value(number) for number in range(READS)]

    def read(_: int) -> int:
        newest = 0
        for _ in range(READS):
            newest = max(newest, known.index(store.secret(token.key).reveal()))
            assert stores.owner_of(token.scope[0], store) == token.key
        return newest

    def write() -> None:
        for number in range(1, READS):
            store.add(token, tokens.secret(number))

    with ThreadPoolExecutor(THREADS + 1) as pool:
        writing = pool.submit(write)
        seen = list(pool.map(read, range(THREADS)))
        writing.result()
    assert len(seen) == THREADS
    assert store.secret(token.key) == tokens.secret(READS - 1)


def test_concurrent_threads_can_write(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", choice="file")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.add(tokens.token(f"org{n}"), tokens.secret(n)), range(24)))
    assert {token.organization for token in store.tokens()} == {f"org{n}" for n in range(24)}


def test_index_is_opened_once_when_many_threads_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path / "store", choice="file").add(tokens.token("acme"), tokens.secret(1))
    opened: list[str] = []
    real = files.opened

    def counting(path: Path) -> int:
        opened.append(path.name)
        time.sleep(0.05)  # so that all threads arrive meanwhile
        return real(path)

    monkeypatch.setattr(files, "opened", counting)
    store = Store(tmp_path / "store")
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: stores.owner_of("https://x/y", store), range(THREADS * 4)))
    assert opened == ["index.json"]
    Store(tmp_path / "store", choice="file").update(tokens.token("acme", last_four="abcd"))
    opened.clear()
    for _ in range(10):
        store.tokens()
    assert opened == ["index.json"]


def test_new_index_has_a_later_time_than_the_old_one_when_the_clock_is_set_back(
    tmp_path: Path,
) -> None:
    """So that two versions never have the same signature."""
    reader = Store(tmp_path / "store")
    writer = Store(tmp_path / "store", choice="file")
    writer.add(tokens.token("acme"), tokens.secret(1))
    index = tmp_path / "store" / "index.json"
    tomorrow = time.time_ns() + 10**14
    os.utime(index, ns=(tomorrow, tomorrow))
    for number in range(1, 4):
        before = index.stat()
        writer.update(tokens.token("acme", last_four=f"{number:04}"))
        assert index.stat().st_mtime_ns == before.st_mtime_ns + 1
        assert reader.tokens()[0].last_four == f"{number:04}"


def test_secret_replaced_during_a_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store", choice="file")
    token = tokens.token("acme")
    store.add(token, tokens.secret(1))
    real = FileVault.get
    times = iter(range(3))

    def get(self: FileVault, entry: str, *, name: str) -> Secret | None:
        for number in times:  # another writer is faster three times
            Store(tmp_path / "store", choice="file").add(token, tokens.secret(10 + number))
            break
        return real(self, entry, name=name)

    monkeypatch.setattr(FileVault, "get", get)
    assert store.secret(token.key) == tokens.secret(12)


def test_secret_removed_during_a_read_is_reported_as_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store", choice="file")
    store.add(tokens.token("acme"), tokens.secret(1))
    real = FileVault.get

    def get(self: FileVault, entry: str, *, name: str) -> Secret | None:
        Store(tmp_path / "store", choice="file").remove(tokens.token("acme").key)
        return real(self, entry, name=name)

    monkeypatch.setattr(FileVault, "get", get)
    with pytest.raises(NoToken, match="no tokens are stored"):
        store.secret(tokens.token("acme").key)

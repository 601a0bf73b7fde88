"""The lock of a store, held around several operations."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import StoreBusy, StoreUnusable
from conda_token_plugin.gateways import files
from conda_token_plugin.store import Store
from conda_token_plugin.store.transaction import Change
from tests.store import children, stores
from tests.support import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return stores.fill(Store(tmp_path / "store", choice="file"))


def started(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.children", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def held_by_another_process(folder: Path) -> Iterator[None]:
    with started("hold", str(folder)) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield
        child.communicate()


def test_exclusive_raises_on_entry_when_another_process_holds_the_lock_beyond_the_limit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conda_token_plugin.gateways.locks.WAIT", 0.05)
    before = stores.content(store)
    issued: list[str] = []
    with held_by_another_process(store.folder):
        with pytest.raises(StoreBusy, match="locked for 0 seconds"), store.exclusive():
            issued.append("token")
        assert stores.content(store) == before, "reading needs no lock"
    assert issued == []
    with store.exclusive():
        store.add(tokens.token("new"), tokens.secret("new"))
    assert store.secret(tokens.token("new").key) == tokens.secret("new")


@pytest.mark.parametrize("write", stores.WRITES.values(), ids=stores.WRITES)
def test_write_reuses_the_lock_that_its_thread_holds(
    store: Store, write: stores.Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conda_token_plugin.gateways.locks.WAIT", 0.05)
    other = Store(store.folder, choice="file")
    with store.exclusive(), other.exclusive():
        write(other)
        store.add(tokens.token("second"), tokens.secret("second"))
    assert store.secret(tokens.token("second").key) == tokens.secret("second")


def test_share_reuses_the_lock_that_its_thread_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conda_token_plugin.gateways.locks.WAIT", 0.05)
    monkeypatch.setattr(files, "group_number", lambda _: os.getgid())
    machine = Store(tmp_path / "machine", machine=True)
    with machine.exclusive():
        machine.add(tokens.token("acme"), tokens.secret("acme"))
        machine.share("any")
    assert machine.secret(tokens.token("acme").key) == tokens.secret("acme")


def test_write_of_another_thread_waits_for_the_lock(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conda_token_plugin.gateways.locks.WAIT", 0.05)
    errors: list[StoreBusy] = []

    def write() -> None:
        try:
            store.remove(tokens.token("acme").key)
        except StoreBusy as error:
            errors.append(error)

    with store.exclusive():
        thread = Thread(target=write)
        thread.start()
        thread.join()
    assert len(errors) == 1
    assert store.token(tokens.token("acme").key) is not None


def test_lock_is_released_after_an_error(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), store.exclusive():
        raise KeyboardInterrupt
    with held_by_another_process(store.folder):
        pass


def test_drop_in_has_all_tokens_of_two_processes_that_write_at_the_same_time(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "store"
    writers = [started("derive", str(folder), name) for name in ("a", "b")]
    for child in writers:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in writers:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in writers:
        child.communicate()
        assert child.returncode == 0
    held = Store(folder).tokens()
    assert len(held) == 2 * children.DERIVATIONS
    written = (tmp_path / children.DERIVED).read_text()
    assert [token.organization for token in held if f"{token.scope[0]}/*" not in written] == []


def test_folder_replaced_by_a_link_under_the_lock_is_refused_and_both_stores_are_unchanged(
    store: Store, tmp_path: Path
) -> None:
    elsewhere = stores.fill(Store(tmp_path / "elsewhere", choice="file"))
    moved = tmp_path / "moved"
    before = stores.content(store)
    with store.exclusive():
        store.folder.rename(moved)
        store.folder.symlink_to(elsewhere.folder)
        with pytest.raises(StoreUnusable, match="replaced by another folder"):
            store.add(tokens.token("new"), tokens.secret("new"))
    assert stores.content(elsewhere) == before
    assert stores.content(Store(moved)) == before


def test_folder_replaced_by_a_link_during_a_write_is_refused_and_both_stores_are_unchanged(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = stores.fill(Store(tmp_path / "elsewhere", choice="file"))
    before = stores.content(store)
    real = Change.sweep

    def sweep(change: Change, place: str) -> None:
        real(change, place)
        linked(store.folder, elsewhere.folder)

    monkeypatch.setattr(Change, "sweep", sweep)
    with pytest.raises(StoreUnusable, match="replaced by another folder"):
        store.add(tokens.token("new"), tokens.secret("new"))
    assert stores.content(elsewhere) == before
    assert stores.content(Store(tmp_path / "moved")) == before


def linked(folder: Path, target: Path) -> None:
    folder.rename(folder.with_name("moved"))
    folder.symlink_to(target)


ODD_FOLDERS = {
    "a link to nothing": lambda folder: linked(folder, folder.with_name("nothing")),
    "a link to itself": lambda folder: linked(folder, folder),
    "a link to a file": lambda folder: linked(folder, folder.with_name("moved") / "index.json"),
    "a link to a device": lambda folder: linked(folder, folder.__class__("/dev/null")),
}


@pytest.mark.parametrize("replace", ODD_FOLDERS.values(), ids=ODD_FOLDERS)
@pytest.mark.parametrize("name", ["add", "check_writable"])
def test_write_is_refused_in_one_line_when_the_folder_has_become(
    store: Store, name: str, replace: stores.Replace
) -> None:
    before = stores.content(store)
    replace(store.folder)
    for act in (stores.WRITES[name], Store.tokens):
        with pytest.raises(StoreUnusable) as caught:
            act(store)
        assert str(store.folder) in str(caught.value)
    assert stores.content(Store(store.folder.with_name("moved"))) == before
    assert not store.folder.with_name("nothing").exists()


def test_store_works_in_a_folder_that_is_a_link_to_one_of_the_user(
    store: Store, tmp_path: Path
) -> None:
    before = stores.content(store)
    linked(store.folder, tmp_path / "moved")
    assert stores.content(store) == before
    store.add(tokens.token("new"), tokens.secret("new"))
    assert Store(tmp_path / "moved").secret(tokens.token("new").key) == tokens.secret("new")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_file_system_without_locks_is_reported_in_one_line_without_a_python_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    import fcntl

    def missing(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", missing)
    store = Store(tmp_path / "store", choice="file")
    try:
        store.add(tokens.token("acme"), tokens.secret(1))
    except StoreUnusable as error:  # filelock before 3.20 does not use a file without flock
        assert "Function not implemented" in str(error)  # noqa: PT017  # depends on the version
        return
    assert store.secret(tokens.token("acme").key) == tokens.secret(1)
    assert [one for one in store.notices if "has no locks" in one] == store.notices[:1]
    assert len(recwarn) == 0

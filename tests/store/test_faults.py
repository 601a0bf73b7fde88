"""Disks that are full, fail or are read-only: nothing is lost, and the error is right."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISDIR
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.errors.store import SecretLost, StoreBusy, StoreUnusable
from conda_token_plugin.gateways.locks import locked
from conda_token_plugin.store import Store
from tests.store import children, stores
from tests.store.stores import WRITES, fill
from tests.support import tokens

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

NOBODY = 65534
CALLS = (
    *("open", "read", "write", "close", "fsync", "fstat", "stat", "lstat", "replace", "unlink"),
    *("mkdir", "utime", "chmod", "listdir", "scandir"),
)
"""The calls by which the store and its lock use the disk."""
FAULTS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two tokens and a login."""
    return fill(Store(tmp_path / "store", choice="file"))


class Disk:
    """Count the calls to the disk, and let one of them fail."""

    def __init__(self, fails_at: int, *, error: int) -> None:
        self.calls = 0
        self.failed = ""
        self._fails_at, self._error = fails_at, error

    def on(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls != self._fails_at:
                return real(*args, **kwargs)
            self.failed = name
            if name == "close":  # the system frees the descriptor all the same
                real(*args, **kwargs)
            raise OSError(self._error, os.strerror(self._error))

        return call


@contextmanager
def failing(at: int, *, error: int) -> Iterator[Disk]:
    disk = Disk(at, error=error)
    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, disk.on(name, getattr(os, name)))
        yield disk


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITES)
def test_store_has_the_old_or_the_new_state_when_any_system_call_fails(
    name: str,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    report: Callable[[str], None],
    count: Counter[str],
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # slow, and no power cut is tested here
    failed = [call for error in FAULTS for call in each_call(WRITES[name], store, error=error)]
    assert {"open", "write", "fsync", "close", "unlink"} <= {*failed}
    count["faults"] += len(failed)
    report(f"{len(failed)} failing calls in {name}: the old or the new state was left")


def each_call(write: Callable[[Store], object], store: Store, *, error: int) -> Iterator[str]:
    """Write with the first call failing, then the second, and so on; yield their names."""
    before = stores.content(store)
    twin = copy(store)
    write(twin)
    after = stores.content(twin)
    for at in range(1, 1000):
        tested = copy(store)
        with failing(at, error=error) as disk:
            outcome = outcome_of(write, tested)
        if not disk.failed:
            return
        yield disk.failed
        refused = isinstance(outcome, StoreUnusable)
        expected = before if refused else after
        assert not refused or "Nothing was changed." in str(outcome)
        assert stores.content(Store(tested.folder)) == expected, (disk.failed, outcome)
        check_recovery(tested)
    raise AssertionError("a write has fewer calls")


def copy(store: Store) -> Store:
    folder = store.folder.with_name("copy")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(store.folder, folder)
    return Store(folder, choice="file")


def outcome_of(write: Callable[[Store], object], store: Store) -> object:
    try:
        return write(store)
    except StoreUnusable as error:
        return error


def check_recovery(store: Store) -> None:
    """Check that the next write succeeds and deletes what the failed one left."""
    store = Store(store.folder, choice="file")
    store.add(tokens.token("last"), tokens.secret("last"))
    store.update(tokens.token("last"))
    assert stores.files(store.folder) == stores.live(store.folder)


class Log:
    """The calls to the disk in their order: ("fsync", "index.json"), ("replace", …)."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.lines: list[tuple[str, str]] = []
        for name in ("write", "fsync", "replace", "unlink"):
            patch.setattr(os, name, self._on(name, getattr(os, name)))

    def _on(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            path = args[0] if name in ("replace", "unlink") else f"/proc/self/fd/{args[0]}"
            shown = Path(path).readlink() if name in ("write", "fsync") else Path(path)
            existed = shown.exists()
            answer = real(*args)
            if existed:
                self.lines.append((name, f"{shown.parent.name}/{shown.name}"))
            return answer

        return call


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="descriptors have no names here")
def test_each_step_of_a_write_is_synced_before_the_next_begins(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = "1", f"{stores.index_of(store.folder).serial}"
    with monkeypatch.context() as patch:
        log = Log(patch)
        store.add(tokens.token("acme"), tokens.secret("replaced"))
    above = store.folder.parent.name
    written = [("write", "{}/.new"), ("fsync", "{}/.new"), ("replace", "{}/.new")]
    index = [*((act, path.format("store")) for act, path in written), ("fsync", f"{above}/store")]
    filled = [*((act, path.format("secrets")) for act, path in written), ("fsync", "store/secrets")]
    number = stores.index_of(store.folder).id
    assert [line for line in log.lines if not line[1].endswith(".lock")] == [
        *index,  # the new slot is listed as pending
        *filled,
        *index,  # the token refers to it
        ("unlink", f"secrets/{number}.{old}"),
    ]
    assert stores.files(store.folder) >= {f"{number}.{new}"}


def test_secret_is_complete_when_the_system_writes_in_pieces(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:7]))
    store.add(tokens.token("acme"), tokens.secret("replaced", length=4096))
    assert Store(store.folder).secret(tokens.token("acme").key).reveal() == tokens.value(
        "replaced", length=4096
    )


def test_write_succeeds_on_a_file_system_that_cannot_sync_folders(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    store.add(tokens.token("acme"), tokens.secret("replaced"))
    assert store.notices == []


def test_unconfirmed_write_is_reported_and_keeps_the_old_secret_until_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (before,) = stores.live(store.folder) - stores.live_without(
        store.folder, tokens.token("acme").key
    )
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if os.path.samestat(os.fstat(descriptor), store.folder.stat()):
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        store.add(tokens.token("acme"), tokens.secret("replaced"))
    assert store.notices == [f"The disk did not confirm the last change of {store.folder}."]
    assert store.secret(tokens.token("acme").key) == tokens.secret("replaced")
    assert before in stores.files(store.folder), "a power cut may bring the index before back"
    store.update(tokens.token("acme"))
    assert stores.files(store.folder) == stores.live(store.folder)


def test_secret_that_cannot_be_deleted_is_reported_and_deleted_by_the_next_write(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.unlink

    def unlink(path: Path) -> None:
        if path.parent.name == "secrets" and path.name != ".new":
            raise OSError(errno.EIO, "Input/output error")
        real(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", unlink)
        store.remove(tokens.token("acme").key)
    assert any("later command deletes" in notice for notice in store.notices)
    assert stores.files(store.folder) != stores.live(store.folder)
    store.update(tokens.token("other"))
    assert stores.files(store.folder) == stores.live(store.folder)


@pytest.mark.parametrize("act", ["add", "replace", "update", "remove", "check_writable"])
def test_file_size_limit_refuses_a_write_and_changes_nothing(
    store: Store, act: str, report: Callable[[str], None], count: Counter[str]
) -> None:
    before = seen(store)
    whole = len((store.folder / "index.json").read_bytes())
    sizes = range(0, whole // 2, 31)
    answer = children.perform(store.folder, act, sizes=list(sizes))
    assert {one["error"] for one in answer["answers"]} == {"StoreUnusable"}
    assert all("File too large" in one["text"] for one in answer["answers"])
    assert answer["seen"] == before
    check_recovery(store)
    count["faults"] += len(sizes)
    report(f"{len(sizes)} limits of the size of files in {act}: the old state was left")


def seen(store: Store) -> dict[str, str]:
    return {token.key: text for token, text in stores.content(store).tokens.values()}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk_refuses_a_write_and_changes_nothing(
    small_disk: Path, report: Callable[[str], None], count: Counter[str]
) -> None:
    store = Store(small_disk / "store", choice="file")
    store.add(tokens.token("acme"), tokens.secret("acme"))
    stored = fill_up(store)
    with pytest.raises(StoreUnusable, match=r"No space left on device.*Nothing was changed"):
        store.add(tokens.token("one more"), tokens.secret("one more"))
    content = stores.content(Store(store.folder))
    assert len(content.tokens) == stored
    with pytest.raises(StoreUnusable, match="No space left on device"):
        store.check_writable()
    assert stores.content(Store(store.folder)) == content
    store.remove(tokens.token("acme").key)
    assert len(store.tokens()) == stored - 1
    assert stores.files(store.folder) == stores.live(store.folder)
    count["faults"] += 1
    report(f"a disk of 64 KiB was full after {stored} tokens: none was lost")


def fill_up(store: Store) -> int:
    """Add tokens until the disk is full; return their number."""
    for number in range(1000):
        with suppress(StoreUnusable):
            store.add(tokens.token(f"org{number}"), tokens.secret(number))
            continue
        break
    return len(store.tokens())


def test_read_only_disk_can_be_read_and_refuses_writes(small_disk: Path) -> None:
    store = Store(small_disk / "store", choice="file")
    store.add(tokens.token("acme"), tokens.secret("acme"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    fresh = Store(store.folder, choice="file")
    assert fresh.secret(tokens.token("acme").key) == tokens.secret("acme")
    for name in ("add", "replace", "update", "remove", "check_writable"):
        with pytest.raises(StoreUnusable, match="Read-only file system"):
            {**WRITES}[name](fresh)


@pytest.mark.skipif(os.geteuid() != 0, reason="root becomes nobody, whom modes do bind")
@pytest.mark.parametrize("act", ["add", "replace", "update", "remove", "check_writable"])
def test_folder_without_write_permission_can_be_read_and_refuses_writes(act: str) -> None:
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        store = Store(Path(name) / "store", choice="file")
        store.add(tokens.token("acme"), tokens.secret("acme"))
        for path in (store.folder, *store.folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        store.folder.chmod(0o500)
        answer = children.perform(store.folder, act, uid=NOBODY)
        assert answer["error"] == "StoreUnusable"
        assert "Permission denied. Nothing was changed." in answer["text"]
        assert answer["seen"] == {tokens.token("acme").key: tokens.value("acme")}


def test_every_write_raises_store_busy_when_the_lock_stays_held(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conda_token_plugin.gateways.locks.WAIT", 0.05)
    with locked(store.folder):
        before = stores.content(store)
        for write in WRITES.values():
            with pytest.raises(StoreBusy, match=r"\.lock locked for 0 seconds"):
                write(Store(store.folder, choice="file"))
            assert stores.content(store) == before
    store.add(tokens.token("acme"), tokens.secret("now"))


def test_deleted_secret_is_reported_with_the_command_for_another(store: Store) -> None:
    shutil.rmtree(store.folder / "secrets")
    with pytest.raises(SecretLost, match=r"'acme'.*missing from the file.*install --org acme"):
        store.secret(tokens.token("acme").key)
    with pytest.raises(SecretLost, match=r"API key for https.*conda token login"):
        store.login(tokens.SERVICE)
    store.remove(tokens.token("acme").key)
    store.add(tokens.token("other"), tokens.secret("anew"))
    assert store.secret(tokens.token("other").key) == tokens.secret("anew")

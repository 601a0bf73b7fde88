"""Modes, owners and types of the store's files."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import StoreUnusable
from conda_token_plugin.store import Store
from tests.store import children, stores
from tests.support import tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store", choice="file")
    store.add(tokens.token("acme"), tokens.secret(1))
    return store


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def any_umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def secret_file(store: Store) -> Path:
    (path,) = (store.folder / "secrets").iterdir()
    return path


def again(store: Store) -> Store:
    return Store(store.folder, choice="file")


@pytest.mark.usefixtures("any_umask")
def test_store_is_readable_only_by_its_owner_with_any_umask(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "store", choice="file")
    store.check_writable()
    store.add(tokens.token("acme"), tokens.secret(1))
    store.set_login(tokens.SERVICE, tokens.secret(2))
    below = [store.folder, *store.folder.rglob("*")]
    assert {path.name: mode(path) for path in below if path.is_dir()} == {
        "store": 0o700,
        "secrets": 0o700,
    }
    assert {mode(path) for path in below if path.is_file()} == {0o600}
    assert len(below) == 6
    assert store.notices == []


@pytest.mark.parametrize("loose", [0o644, 0o640, 0o666, 0o604, 0o777])
def test_loose_mode_of_a_file_is_repaired_and_reported(store: Store, loose: int) -> None:
    for path in (store.folder / "index.json", secret_file(store)):
        path.chmod(loose)
        reader = again(store)
        stores.content(reader)
        assert mode(path) == 0o600
        assert reader.notices == [f"The mode of {path} was changed from {loose:04o} to 0600."]


def test_loose_mode_of_a_folder_is_repaired_and_reported(store: Store) -> None:
    for name in ("refused.json", "refused.json.123", "index.json.bak", "issuing.json"):
        (store.folder / name).touch()
    (store.folder / "exports").mkdir()
    for path in (store.folder, store.folder / "secrets"):
        path.chmod(0o755)
        reader = again(store)
        reader.secret(tokens.token("acme").key)
        assert mode(path) == 0o700
        assert reader.notices == [f"The mode of {path} was changed from 0755 to 0700."]


@pytest.mark.parametrize(("loose", "name"), [(0o777, "thesis.txt"), (0o1777, ".lock")])
def test_loose_mode_of_a_folder_with_other_files_is_reported_and_kept(
    tmp_path: Path, loose: int, name: str
) -> None:
    (tmp_path / "home").rmdir()
    (tmp_path / name).touch()
    tmp_path.chmod(loose)
    store = Store(tmp_path, choice="file")
    store.add(tokens.token("acme"), tokens.secret(1))
    assert mode(tmp_path) == loose
    assert mode(tmp_path / "secrets") == 0o700
    assert mode(tmp_path / "index.json") == 0o600
    (notice,) = store.notices
    assert notice.startswith(f"{tmp_path} has mode {loose:04o}, so that other users can read it")


@as_root
def test_loose_mode_that_cannot_be_repaired_is_reported(open_to_all: Path) -> None:
    store = Store(open_to_all / "store", machine=True)
    store.add(tokens.token("acme"), tokens.secret(1))
    path = store.folder / "index.json"
    path.chmod(0o644)
    store.folder.chmod(0o755)
    answer = children.perform(store.folder, "content", uid=NOBODY, machine=True, groups=[0])
    assert f"The mode 0644 of {path} could not be changed to 0640." in answer["notices"]
    assert answer["seen"] == {tokens.token("acme").key: tokens.value(1)}


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """Return a folder that other users can reach."""
    import shutil
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="store"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_index_that_is_a_symbolic_link_is_refused(store: Store, tmp_path: Path) -> None:
    path = store.folder / "index.json"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnusable, match=r"index\.json.*symbolic link"):
        again(store).tokens()
    with pytest.raises(StoreUnusable, match=r"index\.json.*symbolic link"):
        again(store).add(tokens.token("acme"), tokens.secret(2))


def test_secret_that_is_a_symbolic_link_is_refused(store: Store, tmp_path: Path) -> None:
    path = secret_file(store)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnusable, match="symbolic link"):
        store.secret(tokens.token("acme").key)


def test_lock_that_is_a_symbolic_link_is_refused(store: Store, tmp_path: Path) -> None:
    (store.folder / ".lock").unlink()
    (store.folder / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreUnusable, match=r"\.lock.*symbolic link.*Delete it"):
        store.add(tokens.token("acme"), tokens.secret(2))
    assert not (tmp_path / "elsewhere").exists()


def test_temporary_that_is_a_symbolic_link_is_replaced(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("unchanged")
    for folder in (store.folder, store.folder / "secrets"):
        (folder / ".new").symlink_to(target)
    store.add(tokens.token("acme"), tokens.secret(2))
    assert target.read_text() == "unchanged"
    assert store.secret(tokens.token("acme").key) == tokens.secret(2)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_index_that_is_not_a_regular_file_is_refused_without_waiting(
    store: Store, make: Callable[[Path], None]
) -> None:
    path = store.folder / "index.json"
    path.unlink()
    make(path)
    with pytest.raises(StoreUnusable, match="not a regular file"):
        again(store).tokens()


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    store = Store(tmp_path / "store", choice="file")
    with pytest.raises(StoreUnusable, match="it is not a folder"):
        store.tokens()
    with pytest.raises(StoreUnusable, match="it is not a folder"):
        store.add(tokens.token("acme"), tokens.secret(1))
    assert (tmp_path / "store").read_bytes() == b""


@as_root
def test_files_of_another_user_are_refused(store: Store) -> None:
    for path, act in (
        (secret_file(store), lambda: again(store).secret(tokens.token("acme").key)),
        (store.folder / "index.json", lambda: again(store).tokens()),
        (store.folder, lambda: again(store).tokens()),
        (store.folder, lambda: again(store).add(tokens.token("acme"), tokens.secret(2))),
    ):
        os.chown(path, NOBODY, NOBODY)
        with pytest.raises(
            StoreUnusable, match=r"belongs to another user \(uid 65534\).*as that user"
        ):
            act()
        os.chown(path, 0, 0)
    assert stores.content(store).tokens[tokens.token("acme").key][1] == tokens.value(1)


def test_temporaries_of_a_killed_writer_are_deleted(store: Store) -> None:
    for folder in (store.folder, store.folder / "secrets"):
        (folder / ".new").write_text("half a secret")
    again(store).update(tokens.token("acme", last_four="abcd"))
    assert stores.files(store.folder) == stores.live(store.folder)
    assert not (store.folder / ".new").exists()

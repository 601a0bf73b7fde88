"""The machine's store: root writes it, a group reads it, and others get no error."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import Store, machine_store, user_store
from tests.store import children
from tests.support import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has a machine's store")

NOBODY = 65534
DAEMONS = 1
"""The id of a group without members."""
ACME = tokens.token("acme")


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return the path of a new folder that all users can reach."""
    above = Path(tempfile.mkdtemp(prefix="machine"))
    above.chmod(0o755)
    yield above / "store"
    shutil.rmtree(above)


@pytest.fixture
def shared(folder: Path) -> Path:
    """A store with a token that the group "daemon" may read."""
    store = Store(folder, machine=True)
    store.add(ACME, tokens.secret(1))
    store.share("daemon")
    return folder


def modes(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Return mode, owner and group of every file except the lock."""
    status = {path: path.stat() for path in (folder, *folder.rglob("*")) if path.name != ".lock"}
    return {
        "entry" if path.parent.name == "secrets" else path.name: (
            stat.S_IMODE(one.st_mode),
            one.st_uid,
            one.st_gid,
        )
        for path, one in status.items()
    }


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_machine_store_has_group_modes_with_any_umask(folder: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = Store(folder, machine=True)
        store.check_writable()
        store.share("daemon")
        store.add(ACME, tokens.secret(1))
    finally:
        os.umask(before)
    assert modes(folder) == {
        "store": (0o750, 0, DAEMONS),
        "secrets": (0o750, 0, DAEMONS),
        "index.json": (0o640, 0, DAEMONS),
        "entry": (0o640, 0, DAEMONS),
    }
    assert store.notices == []


def test_share_changes_the_group_of_existing_files(shared: Path) -> None:
    assert {group for _, _, group in modes(shared).values()} == {DAEMONS}


def test_group_member_can_read_the_machine_store(shared: Path) -> None:
    answer = children.perform(shared, "content", uid=NOBODY, groups=[DAEMONS], machine=True)
    assert answer["seen"] == {ACME.key: tokens.value(1)}
    assert answer["notices"] == []


@pytest.mark.parametrize("act", ["add", "replace", "update", "remove", "check_writable", "share"])
def test_group_member_cannot_change_the_machine_store(shared: Path, act: str) -> None:
    answer = children.perform(shared, act, uid=NOBODY, groups=[DAEMONS], machine=True)
    assert answer["error"] == "StoreUnusable"
    assert "Nothing was changed. The machine's store can be changed only by root" in answer["text"]
    assert answer["seen"] == {ACME.key: tokens.value(1)}


def test_machine_store_is_empty_for_a_user_outside_the_group(shared: Path) -> None:
    answer = children.perform(shared, "content", uid=NOBODY, machine=True)
    assert (answer["error"], answer["seen"]) == ("", {})
    assert answer["notices"] == []


def test_closed_to_names_the_group_only_for_a_user_outside_of_it(shared: Path) -> None:
    outside = children.perform(shared, "content", uid=NOBODY, machine=True)
    inside = children.perform(shared, "content", uid=NOBODY, groups=[DAEMONS], machine=True)
    assert (outside["closed_to"], inside["closed_to"]) == ("daemon", None)
    assert Store(shared, machine=True).closed_to() is None


def test_index_of_another_owner_is_refused_in_the_machine_store(shared: Path) -> None:
    os.chown(shared / "index.json", NOBODY, DAEMONS)
    answer = children.perform(shared, "content", uid=2, groups=[DAEMONS], machine=True)
    assert "belongs to another user" in answer["text"]


def test_share_refuses_an_unknown_group(folder: Path) -> None:
    with pytest.raises(BadInput, match="no group 'wizards'"):
        Store(folder, machine=True).share("wizards")
    assert not folder.exists()


def test_machine_store_uses_no_keyring(folder: Path) -> None:
    store = Store(folder, choice="keyring", machine=True)
    assert store.add(ACME, tokens.secret(1)) == "file"
    assert store.notices == []


def test_store_folders_come_from_the_settings(tmp_path: Path) -> None:
    settings = Settings(
        {"CONDA_TOKEN_HOME": str(tmp_path / "user"), "CONDA_TOKEN_SYSTEM_HOME": str(tmp_path)}
    )
    assert user_store(settings).folder == tmp_path / "user"
    assert machine_store(settings).folder == tmp_path
    assert machine_store(Settings({})).folder == Path("/etc/conda-token-plugin")


def test_choice_argument_overrides_the_setting(tmp_path: Path) -> None:
    settings = {"CONDA_TOKEN_HOME": str(tmp_path / "s"), "CONDA_TOKEN_STORE": "keyring"}
    store = user_store(Settings(settings), choice="file")
    assert store.add(ACME, tokens.secret(1)) == "file"
    with pytest.raises(BadInput, match="CONDA_TOKEN_STORE is 'paper'"):
        user_store(Settings({**settings, "CONDA_TOKEN_STORE": "paper"}))

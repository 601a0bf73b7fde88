"""Secrets and the index when another process, another folder or a bad entry comes in between."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import StoreCorrupt, StoreUnusable
from conda_token_plugin.store import Store
from conda_token_plugin.store.index import NAME, TOKENS, Entry, Slot
from conda_token_plugin.store.vaults import FILE, FileVault
from tests.store import stores
from tests.support import tokens

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.tokens.secret import Secret

ACME = tokens.token("acme")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store", choice="file")
    store.add(ACME, tokens.secret(1))
    return store


def secrets_of(store: Store) -> list[Path]:
    return sorted((store.folder / "secrets").iterdir())


def test_secret_that_another_process_replaces_meanwhile_is_read_from_its_new_slot(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = FileVault.get

    def late(self: FileVault, entry: str, *, name: str) -> Secret | None:
        monkeypatch.setattr(FileVault, "get", get)
        Store(store.folder, choice="file").add(ACME, tokens.secret(2))
        return get(self, entry, name=name)

    monkeypatch.setattr(FileVault, "get", late)

    assert store.secret(ACME.key) == tokens.secret(2)


def test_store_that_cannot_hold_a_secret_is_not_proven_writable(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir(mode=0o700)
    (tmp_path / "store" / "secrets").write_text("a file in the place of the folder")

    with pytest.raises(StoreUnusable):
        Store(tmp_path / "store", choice="file").check_writable()


def test_folder_that_is_replaced_while_the_lock_is_held_is_refused(store: Store) -> None:
    with store.exclusive():
        store.folder.rename(store.folder.with_name("other"))
        store.folder.mkdir(mode=0o700)
        with pytest.raises(StoreUnusable), store.exclusive():
            pytest.fail("the folder is another one")


def test_slot_at_an_unknown_place_is_reported_as_damage(store: Store) -> None:
    path = store.folder / NAME
    index = stores.index_of(store.folder)
    slot, metadata = index.tokens[ACME.key]
    elsewhere = Entry(Slot("cloud:x:y", slot.entry), metadata)
    path.write_bytes(index.stored(TOKENS, ACME.key, elsewhere).encoded())

    with pytest.raises(StoreCorrupt) as caught:
        Store(store.folder).secret(ACME.key)

    fault = "it names 'cloud' as a place of secrets"
    assert str(caught.value) == str(StoreCorrupt(path, fault=fault))


def test_secret_that_was_not_stored_completely_is_deleted_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = FileVault.put

    def fail(self: FileVault, entry: str, *, name: str, secret: Secret) -> None:
        put(self, entry, name=name, secret=secret)
        raise StoreUnusable(store.folder, reason="Input/output error")

    monkeypatch.setattr(FileVault, "put", fail)
    before = secrets_of(store)

    with pytest.raises(StoreUnusable):
        store.add(ACME, tokens.secret(2))

    assert secrets_of(store) == before
    assert store.secret(ACME.key) == tokens.secret(1)


@pytest.mark.parametrize("fails", [False, True])
def test_leftover_of_a_killed_write_is_pending_until_it_is_deleted(
    store: Store, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    index = stores.index_of(store.folder)
    left = Slot(FILE, store.vault(FILE).entry(ACME.key, number=index.number))
    (store.folder / NAME).write_bytes(index.announced(left).encoded())
    (store.folder / "secrets" / left.entry).write_text("left")
    store = Store(store.folder, choice="file")
    delete = FileVault.delete

    def failing(self: FileVault, entry: str) -> None:
        if entry == left.entry:
            raise StoreUnusable(store.folder, reason="Input/output error")
        delete(self, entry)

    if fails:
        monkeypatch.setattr(FileVault, "delete", failing)
    store.add(ACME, tokens.secret(2))

    assert (left in stores.index_of(store.folder).pending_deletes) is fails
    assert (store.folder / "secrets" / left.entry).exists() is fails
    assert any("later command deletes" in notice for notice in store.notices) is fails


def test_slot_of_another_keyring_stays_pending_while_a_file_is_written(store: Store) -> None:
    slot = Slot("keyring:no.such.Backend", "left")
    index = stores.index_of(store.folder).announced(slot)
    (store.folder / NAME).write_bytes(index.encoded())
    store = Store(store.folder, choice="file")

    store.add(ACME, tokens.secret(2))

    assert slot in stores.index_of(store.folder).pending_deletes
    assert store.notices == []


def test_file_system_without_locks_is_reported_to_the_user(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conda_token_plugin.gateways.locks._acquire", lambda _: False)

    store.add(ACME, tokens.secret(2))

    (notice,) = store.notices
    assert f"The file system of {store.folder} has no locks." in notice


def test_store_gets_a_random_name_of_twelve_hexadecimal_digits(store: Store) -> None:
    other = Store(store.folder.with_name("other"), choice="file")
    other.add(ACME, tokens.secret(1))

    names = {stores.index_of(folder).id for folder in (store.folder, other.folder)}

    assert len(names) == 2
    assert all(re.fullmatch(r"[0-9a-f]{12}", name) for name in names)


def test_next_index_has_a_later_modification_time_if_the_clock_was_set_back(store: Store) -> None:
    path = store.folder / NAME
    future = path.stat().st_mtime_ns + 10**15
    os.utime(path, ns=(future, future))

    Store(store.folder, choice="file").add(ACME, tokens.secret(2))

    assert path.stat().st_mtime_ns > future


def test_secret_is_stored_with_the_name_of_its_entry(store: Store) -> None:
    store.set_login(tokens.SERVICE, tokens.secret(2))

    names = {json.loads(one.read_bytes())["content"]["name"] for one in secrets_of(store)}

    assert names == {ACME.key, f"login {tokens.SERVICE}"}

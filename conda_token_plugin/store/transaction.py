"""Reading and writing secrets by the slots of the index, and the order of a write.

| step                                                 | after a kill, a reader finds           |
|------------------------------------------------------|----------------------------------------|
| 1. delete what is pending deletion                   | the old state                          |
| 2. list a new slot as pending deletion               | the old state                          |
| 3. write the secret into it                          | the old state; the slot is pending     |
| 4. replace the index                                 | the old state, or the new one          |
| 5. delete the secret that the index no longer names  | the new state; that slot is pending    |

Each step is on disk before the next begins. What a killed write leaves is in slots that the index
lists as pending: the next write needs no search, which most keyrings do not offer.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cached_property
from os import urandom
from typing import TYPE_CHECKING

from conda_token_plugin.gateways.files import LOCK, PROBE_RESULT, TEMPORARY
from conda_token_plugin.store.folder import Folder
from conda_token_plugin.store.index import LOGINS, NAME, Entry, IndexFile, Slot
from conda_token_plugin.store.vaults import FILE, KEYRING, FileVault, KeyringVault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Any

    from conda_token_plugin.store.backend_choice import BackendChoice
    from conda_token_plugin.store.index import Index
    from conda_token_plugin.store.vaults import Vault
    from conda_token_plugin.tokens.secret import Secret

SECRETS = "secrets"
OWN_NAMES = frozenset({NAME, LOCK, PROBE_RESULT, TEMPORARY, SECRETS})
ROOM_TO_GROW = 16_384
"""Bytes by which one more token makes the index longer, at most."""
_this_thread = threading.local()
"""``locked``: the identities of the store folders whose lock this thread holds, by path."""


class SecretStore:
    """The index of a store, its vaults, and the choice between them. Thread-safe.

    Any method may raise StoreError. Reading takes no lock.
    """

    def __init__(self, folder: Path, *, choice: str = "auto", machine: bool = False) -> None:
        """Take the folder, which need not exist. No I/O.

        Args:
            folder: The folder of the index.
            choice: Where new secrets go: "auto", "keyring" or "file".
            machine: Whether it is the store for everybody on this machine.
        """
        self.notices: list[str] = []
        """Messages for the user: what was repaired, chosen, or left undone."""
        self.folder = folder
        self._folder = Folder(folder, notice=self.add_notice, shared=machine, names=OWN_NAMES)
        self._file = IndexFile(self._folder)
        self._wanted = FILE if machine else choice
        secrets = Folder(folder / SECRETS, notice=self.add_notice, shared=machine)
        self._vaults: dict[str, Vault] = {FILE: FileVault(secrets)}

    def add_notice(self, line: str) -> None:
        """Add a message for the user to ``notices``, once."""
        if line not in self.notices:
            self.notices.append(line)

    @property
    def _index(self) -> Index:
        return self._file.read().content

    def _find(self, kind: str, name: str, *, what: str, command: str) -> Secret | None:
        """Return the secret of the entry ``name``, or None if there is no such entry.

        Raises:
            SecretLost: Its slot is empty. ``what`` and ``command`` are for the message.
        """
        empty = None
        while True:
            entry = self._index.entries(kind).get(name)
            if entry is None:
                return None
            slot = entry.slot
            secret = self.vault(slot.place).get(slot.entry, name=_sealed_name(kind, name))
            if secret is not None:
                return secret
            if slot == empty:  # the first time, another process may have replaced the secret
                from conda_token_plugin.errors.store import SecretLost

                raise SecretLost(what, vault=slot.vault, command=command)
            empty = slot

    def _put(self, kind: str, name: str, secret: Secret, *, metadata: Mapping[str, Any]) -> str:
        """Write ``secret`` into a new slot, and store it in the index as the entry ``name``.

        Returns:
            The vault of the slot: "keyring" or "file".
        """
        from conda_token_plugin.errors.store import KeyringUnusable

        place = self._choice.place()
        with self._changing(place) as change:
            self._choice.remember()
            try:
                slot = change.fill(_sealed_name(kind, name), secret, place=place)
            except KeyringUnusable:  # it worked when it was probed, perhaps long ago
                self._choice.forget()
                raise
            change.commit(change.index.stored(kind, name, Entry(slot, metadata)))
        return slot.vault

    def check_writable(self) -> None:
        """Check that a secret can be stored now."""
        place = self._choice.place(again=True)
        with self._changing(place) as change:
            self._choice.remember()
            self._folder.check_writable(len(change.index.encoded()) + ROOM_TO_GROW)
            self.vault(place).check_writable()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the lock of the store in this thread, for several operations at once.

        Operations on this folder in the same thread reuse the lock, also those of other objects.
        Other threads and processes that write wait for it; those that only read do not.

        Raises:
            StoreBusy: On entry, if others held the lock for ``gateways.locks.WAIT`` seconds.
            StoreUnusable: On entry, if the folder or the lock cannot be created.
        """
        from conda_token_plugin.gateways.locks import locked  # a request takes no lock

        held = _this_thread.__dict__.setdefault("locked", {})
        if self.folder in held:
            self._folder.require(held[self.folder])
            yield
            return
        self._folder.make()
        with locked(self.folder, hint=self._folder.hint, notice=self.add_notice):
            held[self.folder] = self._folder.identity()
            try:
                yield
            finally:
                del held[self.folder]

    @contextmanager
    def _changing(self, place: str) -> Iterator[Change]:
        """Hold the lock, with what killed writes left in files and at ``place`` deleted."""
        with self.exclusive():
            index = self._index
            if not index.id:  # the first write
                index = index._replace(id=urandom(6).hex())
            change = Change(self, index)
            change.sweep(place)
            yield change

    def write(self, index: Index) -> bool:
        """Replace the index. The thread holds the lock.

        Returns:
            Whether the disk confirmed that the previous version cannot come back.

        Raises:
            StoreUnusable: It could not be replaced; the previous version is unchanged.
        """
        from conda_token_plugin.errors.store import StoreUnusable

        self._folder.require(_this_thread.locked[self.folder])
        self._folder.write(NAME, index.encoded(), after=self._file.read().signature)
        try:
            self._folder.sync()
        except StoreUnusable:  # a failing disk; the index is replaced nevertheless
            self.add_notice(f"The disk did not confirm the last change of {self.folder}.")
            return False
        return True

    @cached_property
    def _choice(self) -> BackendChoice:
        from conda_token_plugin.store.backend_choice import BackendChoice  # for writing only

        return BackendChoice(self._wanted, self._folder)

    def vault(self, place: str) -> Vault:
        """Return the vault of ``place``, always the same object for one place."""
        name, _, backend = place.partition(":")
        if place not in self._vaults and name != KEYRING:
            from conda_token_plugin.errors.store import StoreCorrupt

            raise StoreCorrupt(self._file.path, fault=f"it names {name!r} as a place of secrets")
        return self._vaults.setdefault(place, KeyringVault(backend))


class Change:
    """One write. Only the holder of the store's lock has one."""

    def __init__(self, store: SecretStore, index: Index) -> None:
        """Take the current index."""
        self.store = store
        self.index = index

    def sweep(self, place: str) -> None:
        """Delete what killed writes left in files and at ``place``."""
        self._empty(Slot(FILE, TEMPORARY))
        pending = {slot for slot in self.index.pending_deletes if slot.place in {FILE, place}}
        self.index = self.index.emptied({slot for slot in pending if self._empty(slot)})

    def fill(self, name: str, secret: Secret, *, place: str) -> Slot:
        """Write ``secret`` into a new slot, which stays pending until ``commit``."""
        from conda_token_plugin.errors.store import StoreError

        vault = self.store.vault(place)
        slot = Slot(place, vault.entry(name, number=self.index.number))
        self.index = self.index.announced(slot)
        self.store.write(self.index)
        try:
            vault.put(slot.entry, name=name, secret=secret)
        except StoreError:  # a full disk, a locked keyring
            self._empty(slot)
            raise
        return slot

    def commit(self, index: Index) -> None:
        """Replace the index by ``index``, then empty the slots that it no longer refers to."""
        confirmed = self.store.write(index)
        if confirmed:  # otherwise a power cut can bring the old index back, which needs them
            for slot in set(index.pending_deletes).difference(self.index.pending_deletes):
                self._empty(slot)

    def _empty(self, slot: Slot) -> bool:
        """Return whether ``slot`` is empty now; tell the user if it is not."""
        from conda_token_plugin.errors.store import StoreError

        try:
            self.store.vault(slot.place).delete(slot.entry)
        except StoreError as error:  # a locked keyring, a failing disk
            self.store.add_notice(f"{error.what} A later command deletes the removed secret.")
            return False
        return True


def _sealed_name(kind: str, name: str) -> str:
    """Return the name that a secret is sealed with; that of a token contains an "@"."""
    return f"login {name}" if kind == LOGINS else name

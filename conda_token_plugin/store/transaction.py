"""Reading and writing secrets by the slots of the index, and the order of a write.

| step                                                 | after a kill, a reader finds           |
|------------------------------------------------------|----------------------------------------|
| 1. delete what is pending deletion                   | the old state                          |
| 2. list a new slot as pending deletion               | the old state                          |
| 3. write the secret into it                          | the old state; the slot is pending     |
| 4. replace the index                                 | the old state, or the new one          |
| 5. delete the secret that the index no longer names  | the new state; that slot is pending    |

Each step is on disk before the next begins. What a killed write leaves is in slots that the
index lists as pending, so that the next write finds it without a search, which most keyrings
do not offer.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cached_property
from os import urandom
from typing import TYPE_CHECKING

from conda_token_plugin.gateways.files import LOCK, PROBE_RESULT, TEMPORARY
from conda_token_plugin.store import index_file
from conda_token_plugin.store.envelope import EnvelopeRefused, damage_reported
from conda_token_plugin.store.folder import Folder
from conda_token_plugin.store.index import Slot
from conda_token_plugin.store.index_file import IndexFile
from conda_token_plugin.store.vaults import FILE, KEYRING, FileVault, KeyringVault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conda_token_plugin.store.backend_choice import BackendChoice
    from conda_token_plugin.store.index import Index
    from conda_token_plugin.store.vaults import Vault
    from conda_token_plugin.tokens.secret import Secret

SECRETS = "secrets"
OWN_NAMES = frozenset({index_file.NAME, LOCK, PROBE_RESULT, TEMPORARY, SECRETS})
ROOM_TO_GROW = 16 * 1024
"""Bytes by which one more token makes the index longer, at most."""
_this_thread = threading.local()
"""``locked``: the identities of the store folders whose lock this thread holds, by path."""


class SecretStore:
    """The index of a store, its vaults, and the choice between them. Thread-safe."""

    def __init__(
        self, folder: Path, *, choice: str, shared: bool, tell: Callable[[str], None]
    ) -> None:
        """Take the settings of ``Store``. No I/O.

        Args:
            folder: The store's folder; it need not exist.
            choice: Where new secrets go: "auto", "keyring" or "file".
            shared: Whether it is the machine's store.
            tell: Takes messages for the user.
        """
        self.folder = Folder(folder, tell=tell, shared=shared, names=OWN_NAMES)
        self.file = IndexFile(self.folder)
        self._wanted = FILE if shared else choice
        secrets = Folder(folder / SECRETS, tell=tell, shared=shared)
        self._vaults: dict[str, Vault] = {FILE: FileVault(secrets)}

    def find(
        self, name: str, *, slot_of: Callable[[Index], Slot | None], what: str, command: str
    ) -> Secret | None:
        """Return the secret of ``name``, or None if the index has no slot for it.

        Raises:
            SecretLost: The slot is empty. ``what`` and ``command`` are for its message.
        """
        empty = None
        while True:
            slot = slot_of(self.file.read().content)
            if slot is None:
                return None
            secret = self.vault(slot.place).get(slot.entry, name=name)
            if secret is not None:
                return secret
            if slot == empty:  # the first time, another process may have replaced the secret
                from conda_token_plugin.errors.store import SecretLost

                raise SecretLost(what, vault=slot.vault, command=command)
            empty = slot

    def put(self, name: str, secret: Secret, *, record: Callable[[Index, Slot], Index]) -> str:
        """Write ``secret`` into a new slot, and the index that ``record`` returns for that slot.

        Returns:
            The vault of the slot: "keyring" or "file".
        """
        from conda_token_plugin.errors.store import KeyringUnusable

        place = self._choice.place()
        with self.changing(place) as change:
            self._choice.remember()
            try:
                slot = change.fill(name, secret, place=place)
            except KeyringUnusable:  # it worked when it was probed, perhaps long ago
                self._choice.forget()
                raise
            change.commit(record(change.index, slot))
        return slot.vault

    def prove(self) -> str:
        """Check that a secret can be stored now; return its vault, "keyring" or "file"."""
        place = self._choice.place(anew=True)
        with self.changing(place) as change:
            self._choice.remember()
            self.folder.prove(len(change.index.encoded()) + ROOM_TO_GROW)
            self.vault(place).prove()
        return place.partition(":")[0]

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the lock of the store in this thread; see ``Store.exclusive``."""
        from conda_token_plugin.gateways.locks import locked  # a request takes no lock

        held = _this_thread.__dict__.setdefault("locked", {})
        path = self.folder.path
        if path in held:
            self.folder.require(held[path])
            yield
            return
        self.folder.make()
        with locked(path, hint=self.folder.hint, tell=self.folder.tell):
            held[path] = self.folder.identity()
            try:
                yield
            finally:
                del held[path]

    @contextmanager
    def changing(self, place: str) -> Iterator[Change]:
        """Hold the lock, with what killed writes left in files and at ``place`` deleted."""
        with self.exclusive():
            index = self.file.read().content
            if not index.id:  # the first write
                index = index._replace(id=urandom(6).hex())
            change = Change(self, index)
            change.sweep(place)
            yield change

    def write(self, index: Index) -> bool:
        """Replace the index; see ``IndexFile.write``. The thread holds the lock."""
        self.folder.require(_this_thread.locked[self.folder.path])
        return self.file.write(index)

    @cached_property
    def _choice(self) -> BackendChoice:
        from conda_token_plugin.store.backend_choice import BackendChoice  # for writing only

        return BackendChoice(self._wanted, self.folder)

    def vault(self, place: str) -> Vault:
        """Return the vault of ``place``, always the same object for one place."""
        name, _, backend = place.partition(":")
        if place not in self._vaults and name != KEYRING:
            with damage_reported(self.file.path):
                raise EnvelopeRefused(f"it names {name!r} as a place of secrets")
        return self._vaults.get(place) or self._vaults.setdefault(place, KeyringVault(backend))


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
            self.store.folder.tell(f"{error.what} What was removed is deleted there later.")
            return False
        return True

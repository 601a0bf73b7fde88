"""One write of the store, and its order.

| step                                            | killed then, a reader finds           |
|-------------------------------------------------|---------------------------------------|
| 1. sweep: empty what is doomed                  | what was before                       |
| 2. announce a slot: it is doomed before it is filled | what was before                  |
| 3. fill it with the secret                      | what was before; the slot is doomed   |
| 4. replace the index                            | what was before, or what is after     |
| 5. empty the slot that the index has dropped    | what is after; that slot is doomed    |

Each step is on the disk before the next begins. What a killed write leaves lying about is
in slots that the index names as doomed, so that the next write finds it without a search,
which keyrings do not offer.
"""

from __future__ import annotations

from contextlib import contextmanager
from os import urandom
from typing import TYPE_CHECKING

from conda_token_plugin.errors.store import StoreError
from conda_token_plugin.gateways.files import TEMPORARY
from conda_token_plugin.gateways.locks import locked
from conda_token_plugin.store.envelope import sealed
from conda_token_plugin.store.index import Slot
from conda_token_plugin.store.index_edits import announcing, emptied
from conda_token_plugin.store.vaults import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda_token_plugin.store.index import Index
    from conda_token_plugin.store.index_file import IndexFile
    from conda_token_plugin.store.vaults import Vault
    from conda_token_plugin.tokens.secret import Secret


class Change:
    """A write in the making; only the holder of the lock has one."""

    def __init__(self, ledger: IndexFile, *, vault: Callable[[str], Vault], index: Index) -> None:
        """``index`` is what the ledger says now."""
        self.ledger = ledger
        self.vault = vault
        self.index = index

    def sweep(self, place: str) -> None:
        """Clear away what writes that were killed left in the files and at ``place``."""
        self._empty(Slot(FILE, TEMPORARY))
        doomed = {slot for slot in self.index.doomed if slot.place in {FILE, place}}
        self.index = emptied(self.index, {slot for slot in doomed if self._empty(slot)})

    def put(self, name: str, secret: Secret, *, place: str) -> Slot:
        """Keep ``secret`` in a new slot at ``place``; nobody's, until ``commit``."""
        vault = self.vault(place)
        slot = Slot(place, vault.entry(name, number=self.index.number))
        self.index = announcing(self.index, slot)
        self.ledger.write(self.index)
        try:
            vault.put(slot.entry, sealed(name, secret))
        except StoreError:  # a full disk, a locked keyring
            self._empty(slot)
            raise
        return slot

    def commit(self, index: Index) -> None:
        """Replace the index by ``index``, then empty the slots that it has dropped."""
        confirmed = self.ledger.write(index)
        if confirmed:  # else a power cut may bring the index before back, and it names them
            for slot in set(index.doomed).difference(self.index.doomed):
                self._empty(slot)

    def _empty(self, slot: Slot) -> bool:
        """Whether ``slot`` is empty now; if not, the user is told."""
        try:
            self.vault(slot.place).delete(slot.entry)
        except StoreError as error:  # a locked keyring, a failing disk
            self.ledger.folder.tell(f"{error.what} What was removed is deleted there later.")
            return False
        return True


@contextmanager
def changing(ledger: IndexFile, *, vault: Callable[[str], Vault]) -> Iterator[Change]:
    """Hold the lock of the store, with the index as it is now."""
    ledger.folder.make()
    with locked(ledger.folder.path, hint=ledger.folder.hint), ledger.refusals():
        index = ledger.read().index
        if not index.id:  # the first write
            index = index.but(id=urandom(6).hex())
        yield Change(ledger, vault=vault, index=index)

"""One write of the store, and its order: secret, index, then what the index dropped.

| killed before                  | a reader finds  | what lies about              |
|--------------------------------|-----------------|------------------------------|
| the secret is in its slot      | what was before | a temporary, half an entry   |
| the index is replaced          | what was before | a secret in the vacant slot  |
| the dropped slot is emptied    | what is after   | a secret in a doomed slot    |

What lies about is cleared away by ``sweep``, with which the next write begins.
It needs no search, which keyrings do not offer: the index names doomed slots,
and the vacant one follows from it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import urandom
from typing import TYPE_CHECKING

from conda_token_plugin.errors import StoreError
from conda_token_plugin.store.files import TEMPORARY
from conda_token_plugin.store.index import Slot
from conda_token_plugin.store.lock import locked
from conda_token_plugin.store.sealing import sealed
from conda_token_plugin.store.vaults import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda_token_plugin.secret import Secret
    from conda_token_plugin.store.index import Index
    from conda_token_plugin.store.ledger import Ledger
    from conda_token_plugin.store.vaults import Vault


@dataclass(slots=True, kw_only=True)
class Change:
    """A write in the making; only the holder of the lock has one."""

    ledger: Ledger
    vault: Callable[[str], Vault]
    index: Index

    def sweep(self, place: str) -> None:
        """Clear away what writes that were killed left in the files and at ``place``."""
        about = {Slot(FILE, TEMPORARY), self.index.vacant(FILE), self.index.vacant(place)}
        about |= {slot for slot in self.index.doomed if slot.place in {FILE, place}}
        self.index = self.index.emptied({slot for slot in about if self._empty(slot)})

    def put(self, name: str, secret: Secret, *, place: str) -> Slot:
        """Keep ``secret`` in the vacant slot of ``place``, which the index does not name yet."""
        slot = self.index.vacant(place)
        self.vault(place).put(slot.entry, sealed(name, secret))
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
def changing(ledger: Ledger, *, vault: Callable[[str], Vault]) -> Iterator[Change]:
    """Hold the lock of the store, with the index as it is now."""
    ledger.folder.make()
    with locked(ledger.folder.path), ledger.refusals():
        index = ledger.read().index
        if not index.id:  # the first write
            index = replace(index, id=urandom(6).hex())
        yield Change(ledger=ledger, vault=vault, index=index)

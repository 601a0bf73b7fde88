"""Secrets by the slots that the index names: finding one, keeping one."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from conda_token_plugin.gateways.files import FINDING, LOCK, TEMPORARY
from conda_token_plugin.store import index_file
from conda_token_plugin.store.envelope import EnvelopeRefused, unsealed
from conda_token_plugin.store.folder import Folder
from conda_token_plugin.store.index_file import IndexFile
from conda_token_plugin.store.vaults import FILE, KEYRING, FileVault, vault_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conda_token_plugin.errors.store import SecretLost
    from conda_token_plugin.store.backend_choice import Choice
    from conda_token_plugin.store.index import Index, Slot
    from conda_token_plugin.store.transaction import Change
    from conda_token_plugin.store.vaults import Vault
    from conda_token_plugin.tokens.secret import Secret

SECRETS = "secrets"
OURS = frozenset({index_file.NAME, LOCK, FINDING, TEMPORARY, SECRETS})
ROOM_TO_GROW = 16 * 1024
"""Bytes by which one more token makes the index longer, at most."""


class Safe:
    """The ledger of a store, its vaults, and the choice among them. For any thread."""

    def __init__(
        self, folder: Path, *, choice: str, shared: bool, tell: Callable[[str], None]
    ) -> None:
        """``tell`` takes lines for the user. Does no I/O."""
        home = Folder(folder, tell=tell, shared=shared, names=OURS)
        secrets = Folder(folder / SECRETS, tell=tell, shared=shared)
        self.ledger = IndexFile(home)
        self._wanted = FILE if shared else choice
        self._vaults: dict[str, Vault] = {FILE: FileVault(secrets)}

    def find(
        self,
        name: str,
        *,
        slot_of: Callable[[Index], Slot | None],
        lost: Callable[[str], SecretLost],
    ) -> Secret | None:
        """The secret of ``name``, in the slot that the index has for it; None: it has none.

        Raises:
            SecretLost: ``lost`` of the vault's name; the slot is empty.
        """
        empty = None
        while True:
            with self.ledger.refusals():
                slot = slot_of(self.ledger.read().index)
            if slot is None:
                return None
            sealed = self.vault(slot.place).get(slot.entry)
            if sealed is not None:
                return self._unsealed(name, sealed, slot=slot)
            if slot == empty:  # else it may have been replaced in between: look again
                raise lost(vault_name(slot.place))
            empty = slot

    def keep(self, name: str, secret: Secret, *, record: Callable[[Index, Slot], Index]) -> str:
        """Keep ``secret`` in a slot of its own, and the index that ``record`` makes of that.

        Returns:
            The vault that it went to.
        """
        from conda_token_plugin.errors.store import KeyringUnusable

        place = self._choice.place()
        with self.changing() as change:
            self._choice.remember()
            change.sweep(place)
            try:
                slot = change.put(name, secret, place=place)
            except KeyringUnusable:  # it worked when it was probed, maybe long ago
                self._choice.forget()
                raise
            change.commit(record(change.index, slot))
        return vault_name(place)

    def prove(self) -> str:
        """See that a secret could be kept right now.

        Returns:
            The vault that it would go to.
        """
        place = self._choice.place(anew=True)
        with self.changing() as change:
            self._choice.remember()
            change.sweep(place)
            self.ledger.folder.prove(len(change.index.encoded()) + ROOM_TO_GROW)
            self.vault(place).prove()
        return vault_name(place)

    def changing(self) -> AbstractContextManager[Change]:
        """Hold the lock; see ``change``."""
        from conda_token_plugin.store.transaction import changing  # a request changes nothing

        return changing(self.ledger, vault=self.vault)

    @cached_property
    def _choice(self) -> Choice:
        from conda_token_plugin.store.backend_choice import Choice  # a request keeps nothing

        return Choice(self._wanted, self.ledger.folder)

    def vault(self, place: str) -> Vault:
        """The vault of ``place``; one object each, so that a keyring that hangs does so once."""
        if place not in self._vaults:
            name, _, backend = place.partition(":")
            if name != KEYRING:
                with self.ledger.refusals():
                    raise EnvelopeRefused(f"it names {name!r} as a place of secrets")
            from conda_token_plugin.store.keyring_vault import KeyringVault

            return self._vaults.setdefault(place, KeyringVault(backend))
        return self._vaults[place]

    def _unsealed(self, name: str, sealed: bytes, *, slot: Slot) -> Secret:
        try:
            return unsealed(name, sealed)
        except (
            EnvelopeRefused
        ) as refused:  # damage, a later version, a keyring that mixes up entries
            raise self.vault(slot.place).damaged(slot.entry, refused) from None

"""The store itself: what others call. What is written is in ``index``, and how in ``change``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors import KeyringUnusable, NoToken, SecretLost
from conda_token_plugin.store import choice as choices
from conda_token_plugin.store import ledger, lock
from conda_token_plugin.store.change import changing
from conda_token_plugin.store.choice import Choice
from conda_token_plugin.store.envelope import Refused
from conda_token_plugin.store.files import TEMPORARY
from conda_token_plugin.store.folder import Folder, group_id
from conda_token_plugin.store.ledger import Ledger
from conda_token_plugin.store.sealing import unsealed
from conda_token_plugin.store.vaults import FILE, KEYRING, FileVault, vault_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conda_token_plugin.secret import Secret
    from conda_token_plugin.store.change import Change
    from conda_token_plugin.store.index import Index, Slot
    from conda_token_plugin.store.vaults import Vault
    from conda_token_plugin.tokens import Token

SECRETS = "secrets"
OURS = frozenset({ledger.NAME, lock.NAME, choices.NAME, TEMPORARY, SECRETS})
ROOM_TO_GROW = 16 * 1024
"""Bytes by which one more token makes the index longer, at most."""


class Store:
    """One user's, or the machine's, tokens. Any method may raise StoreError; reads take no lock."""

    def __init__(self, folder: Path, *, choice: str = "auto", machine: bool = False) -> None:
        """``choice``: where new secrets go, "auto", "keyring" or "file". Does no I/O."""
        self.notices: list[str] = []
        """Lines for the user: what was repaired, chosen, or left undone."""
        home = Folder(path=folder, tell=self._tell, shared=machine, names=OURS)
        secrets = Folder(path=folder / SECRETS, tell=self._tell, shared=machine)
        self._ledger = Ledger(home)
        self._choice = Choice(FILE if machine else choice, home)
        self._folders = (secrets, home)
        self._vaults: dict[str, Vault] = {FILE: FileVault(secrets)}

    @property
    def folder(self) -> Path:
        """Where the index is."""
        return self._ledger.folder.path

    def tokens(self) -> tuple[Token, ...]:
        """All metadata, by organization and key. Reads no secret."""
        index = self._ledger.read().index
        with self._ledger.refusals():
            held = [token for key in index.lines if (token := index.token(key))]
        return tuple(sorted(held, key=lambda token: (token.organization, token.key)))

    def token(self, key: str) -> Token | None:
        """The metadata of one token. Reads no secret."""
        with self._ledger.refusals():
            return self._ledger.read().index.token(key)

    def prefixes(self) -> Mapping[str, str]:
        """Each prefix of a scope, and the key of the token it belongs to.

        Of two tokens that claim the same prefix, the one stored last has it.
        """
        return self._ledger.read().prefixes

    def vault_of(self, key: str) -> str:
        """In which vault the secret of ``key`` lies: "keyring" or "file".

        Raises:
            NoToken: there is no such token.
        """
        with self._ledger.refusals():
            return vault_name(_slot(self._ledger.read().index, key).place)

    def secret(self, key: str) -> Secret:
        """The secret of the token ``key``.

        Raises:
            NoToken: there is no such token.
            SecretLost: there is, and someone else has deleted its secret.
        """
        organization = _organization(key)
        secret = self._secret(
            key,
            slot_of=lambda index: index.slot(key),
            lost=lambda vault: SecretLost(
                f"token of {organization!r}",
                vault=vault,
                command=f"conda token install --org {organization}",
            ),
        )
        if secret is None:
            raise _no_token(key, self._ledger.read().index)
        return secret

    def prove_writable(self) -> str:
        """See that a token could be stored right now.

        Returns:
            The vault that its secret would go to.
        """
        place = self._choice.place(anew=True)
        with self._changing() as change:
            self._choice.remember()
            change.sweep(place)
            self._ledger.folder.prove(len(change.index.encoded()) + ROOM_TO_GROW)
            self._vault(place).prove()
        return vault_name(place)

    def add(self, token: Token, secret: Secret) -> str:
        """Keep ``token``, in place of the one with its key where there is one.

        Returns:
            The vault that the secret went to.
        """
        return self._keep(
            token.key, secret, record=lambda index, slot: index.with_token(token, at=slot)
        )

    def update(self, *tokens: Token) -> None:
        """Replace the metadata of tokens that are stored; their secrets stay as they are.

        Raises:
            NoToken: one of them is not stored; nothing was changed.
        """
        if not tokens:
            return
        with self._changing() as change:
            change.sweep(FILE)
            index = change.index
            for token in tokens:
                index = index.with_metadata(token, at=_slot(index, token.key))
            change.commit(index)

    def remove(self, key: str) -> Token:
        """Forget the token ``key``.

        A secret that its vault does not give up, say because the keyring is locked,
        is deleted with a later change; a notice says so.

        Raises:
            NoToken: there is no such token.
        """
        with self._changing() as change:
            token = change.index.token(key)
            if token is None:
                raise _no_token(key, change.index)
            change.sweep(_slot(change.index, key).place)
            change.commit(change.index.without_token(key))
        return token

    def login(self, service: str) -> Secret | None:
        """The API key of the login to ``service``, or None.

        Raises:
            SecretLost: it is stored, and someone else has deleted it.
        """
        return self._secret(
            _login(service),
            slot_of=lambda index: index.logins.get(service),
            lost=lambda vault: SecretLost(
                f"API key for {service}", vault=vault, command="conda token login"
            ),
        )

    def set_login(self, service: str, api_key: Secret) -> str:
        """Keep the API key of a login, in place of the one before.

        Returns:
            The vault that it went to.
        """
        return self._keep(
            _login(service),
            api_key,
            record=lambda index, slot: index.with_login(service, at=slot),
        )

    def remove_login(self, service: str) -> bool:
        """Forget the API key of a login, as ``remove`` does a token; False where there is none."""
        with self._changing() as change:
            slot = change.index.logins.get(service)
            if slot is None:
                return False
            change.sweep(slot.place)
            change.commit(change.index.without_login(service))
        return True

    def share_with(self, group: str) -> None:
        """Have the members of ``group`` read the machine's store, from now on.

        Raises:
            BadInput: there is no such group.
        """
        gid = group_id(group)
        with self._changing():
            for folder in self._folders:
                folder.make()
                folder.share(group=gid)

    def _secret(
        self,
        name: str,
        *,
        slot_of: Callable[[Index], Slot | None],
        lost: Callable[[str], SecretLost],
    ) -> Secret | None:
        while True:
            page = self._ledger.read()
            with self._ledger.refusals():
                slot = slot_of(page.index)
            if slot is None:
                return None
            sealed = self._vault(slot.place).get(slot.entry)
            if sealed is not None:
                return self._unsealed(name, sealed, slot=slot)
            if self._ledger.read() is page:  # else it was replaced in between: look again
                raise lost(vault_name(slot.place))

    def _unsealed(self, name: str, sealed: bytes, *, slot: Slot) -> Secret:
        try:
            return unsealed(name, sealed)
        except Refused as refused:  # damage, a later version, a keyring that mixes up entries
            raise self._vault(slot.place).damaged(slot.entry, refused) from None

    def _keep(self, name: str, secret: Secret, *, record: Callable[[Index, Slot], Index]) -> str:
        place = self._choice.place()
        with self._changing() as change:
            self._choice.remember()
            change.sweep(place)
            try:
                slot = change.put(name, secret, place=place)
            except KeyringUnusable:  # it worked when it was probed, maybe long ago
                self._choice.forget()
                raise
            change.commit(record(change.index, slot))
        return vault_name(place)

    def _changing(self) -> AbstractContextManager[Change]:
        return changing(self._ledger, vault=self._vault)

    def _vault(self, place: str) -> Vault:
        """The vault of ``place``; one object each, so that a keyring that hangs does so once."""
        if place not in self._vaults:
            name, _, backend = place.partition(":")
            if name != KEYRING:
                with self._ledger.refusals():
                    raise Refused(f"it names {name!r} as a place of secrets")
            from conda_token_plugin.store.keyring_vault import KeyringVault

            return self._vaults.setdefault(place, KeyringVault(backend))
        return self._vaults[place]

    def _tell(self, line: str) -> None:
        if line not in self.notices:
            self.notices.append(line)


def _slot(index: Index, key: str) -> Slot:
    slot = index.slot(key)
    if slot is None:
        raise _no_token(key, index)
    return slot


def _no_token(key: str, index: Index) -> NoToken:
    known = {_organization(other) for other in index.lines}
    return NoToken.for_organization(_organization(key), known=known)


def _organization(key: str) -> str:
    return key.partition("@")[0]


def _login(service: str) -> str:
    """What an API key is sealed under: no token's key is like it."""
    return f"login {service}"

"""The store itself: what others call. What is written is in ``index``, and how in ``change``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.store.safe import Safe
from conda_token_plugin.store.vaults import FILE, vault_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conda_token_plugin.errors.store import NoToken, SecretLost
    from conda_token_plugin.store.index import Entry, Index, Slot
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token


class Store:
    """One user's, or the machine's, tokens. Any method may raise StoreError; reads take no lock."""

    def __init__(self, folder: Path, *, choice: str = "auto", machine: bool = False) -> None:
        """``choice``: where new secrets go, "auto", "keyring" or "file". Does no I/O."""
        self.notices: list[str] = []
        """Lines for the user: what was repaired, chosen, or left undone."""
        self._safe = Safe(folder, choice=choice, shared=machine, tell=self._tell)
        self._ledger = self._safe.ledger

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

    def entry(self, key: str) -> Entry | None:
        """What the index says of one token: what a request needs, and no more."""
        with self._ledger.refusals():
            return self._ledger.read().index.entry(key)

    def told(self, entry: Entry) -> Token:
        """The metadata that ``entry`` has."""
        with self._ledger.refusals():
            return entry.token()

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
        return vault_name(self._slot(key).place)

    def secret(self, key: str) -> Secret:
        """The secret of the token ``key``.

        Raises:
            NoToken: there is no such token.
            SecretLost: there is, and someone else has deleted its secret.
        """
        organization = _organization(key)
        secret = self._safe.find(
            key,
            slot_of=lambda index: index.slot(key),
            lost=lambda vault: _lost(
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
        return self._safe.prove()

    def add(self, token: Token, secret: Secret) -> str:
        """Keep ``token``, in place of the one with its key where there is one.

        Returns:
            The vault that the secret went to.
        """
        from conda_token_plugin.store.index_edits import with_token

        return self._safe.keep(
            token.key, secret, record=lambda index, slot: with_token(index, token, at=slot)
        )

    def update(self, *tokens: Token) -> None:
        """Replace the metadata of tokens that are stored; their secrets stay as they are.

        Raises:
            NoToken: one of them is not stored; nothing was changed.
        """
        from conda_token_plugin.store.index_edits import with_metadata

        for token in tokens:
            self._slot(token.key)  # else not even a lock is taken
        if not tokens:
            return
        with self._safe.changing() as change:
            change.sweep(FILE)
            index = change.index
            for token in tokens:
                index = with_metadata(index, token, at=_slot(index, token.key))
            change.commit(index)

    def remove(self, key: str) -> Token:
        """Forget the token ``key``.

        A secret that its vault does not give up, say because the keyring is locked,
        is deleted with a later change; a notice says so.

        Raises:
            NoToken: there is no such token.
        """
        from conda_token_plugin.store.index_edits import without_token

        self._slot(key)  # else not even a lock is taken
        with self._safe.changing() as change:
            change.sweep(_slot(change.index, key).place)
            token = change.index.token(key)
            if token is None:
                raise _no_token(key, change.index)
            change.commit(without_token(change.index, key))
        return token

    def login(self, service: str) -> Secret | None:
        """The API key of the login to ``service``, or None.

        Raises:
            SecretLost: it is stored, and someone else has deleted it.
        """
        return self._safe.find(
            _login(service),
            slot_of=lambda index: index.logins.get(service),
            lost=lambda vault: _lost(
                f"API key for {service}", vault=vault, command="conda token login"
            ),
        )

    def set_login(self, service: str, api_key: Secret) -> str:
        """Keep the API key of a login, in place of the one before.

        Returns:
            The vault that it went to.
        """
        from conda_token_plugin.store.index_edits import with_login

        return self._safe.keep(
            _login(service),
            api_key,
            record=lambda index, slot: with_login(index, service, at=slot),
        )

    def remove_login(self, service: str) -> bool:
        """Forget the API key of a login, as ``remove`` does a token; False where there is none."""
        from conda_token_plugin.store.index_edits import without_login

        if service not in self._ledger.read().index.logins:
            return False
        with self._safe.changing() as change:
            slot = change.index.logins.get(service)
            change.sweep(slot.place if slot else FILE)
            change.commit(without_login(change.index, service))
        return slot is not None

    def entries(self) -> frozenset[str]:
        """Where all secrets lie, and those that are to be deleted: names in files and keyrings."""
        index = self._ledger.read().index
        with self._ledger.refusals():
            held = [slot for key in index.lines if (slot := index.slot(key))]
        return frozenset(slot.entry for slot in (*held, *index.logins.values(), *index.doomed))

    def _slot(self, key: str) -> Slot:
        with self._ledger.refusals():
            return _slot(self._ledger.read().index, key)

    def _tell(self, line: str) -> None:
        if line not in self.notices:
            self.notices.append(line)


def _slot(index: Index, key: str) -> Slot:
    slot = index.slot(key)
    if slot is None:
        raise _no_token(key, index)
    return slot


def _lost(what: str, *, vault: str, command: str) -> SecretLost:
    from conda_token_plugin.errors.store import SecretLost

    return SecretLost(what, vault=vault, command=command)


def _no_token(key: str, index: Index) -> NoToken:
    from conda_token_plugin.errors.store import NoToken

    known = {_organization(other) for other in index.lines}
    return NoToken.for_organization(_organization(key), known=known)


def _organization(key: str) -> str:
    return key.partition("@")[0]


def _login(service: str) -> str:
    """What an API key is sealed under: no token's key is like it."""
    return f"login {service}"

"""The public class of the store; ``transaction`` reads and writes for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.store.envelope import damage_reported
from conda_token_plugin.store.folder import group_number
from conda_token_plugin.store.index import Entry
from conda_token_plugin.store.transaction import SecretStore
from conda_token_plugin.store.vaults import FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conda_token_plugin.errors.store import NoToken
    from conda_token_plugin.store.index import Index
    from conda_token_plugin.tokens.provider import Provider
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token


class Store:
    """The tokens of one user, or of the machine, and the API keys of logins.

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
        self._secrets = SecretStore(folder, choice=choice, shared=machine, tell=self._tell)

    @property
    def folder(self) -> Path:
        """The folder of the index."""
        return self._secrets.folder.path

    def closed_to(self) -> str | None:
        """Return the group that may read the machine's store if the user may not, or None."""
        return self._secrets.folder.closed_to()

    def exclusive(self) -> AbstractContextManager[None]:
        """Hold the lock of the store in this thread, for several operations at once.

        Operations on this folder in the same thread reuse the lock, also those of other objects.
        Other threads and processes that write wait for it; those that only read do not.

        Raises:
            StoreBusy: On entry, if others held the lock for ``gateways.locks.WAIT`` seconds.
            StoreUnusable: On entry, if the folder or the lock cannot be made.
        """
        return self._secrets.exclusive()

    def tokens(self) -> tuple[Token, ...]:
        """Return the metadata of all tokens, by organization and key. Reads no secret."""
        held = map(self.metadata, self._index.tokens.values())
        return tuple(sorted(held, key=lambda token: (token.organization, token.key)))

    def token(self, key: str) -> Token | None:
        """Return the metadata of one token, or None if it is not stored. Reads no secret."""
        entry = self.entry(key)
        return entry and self.metadata(entry)

    def entry(self, key: str) -> Entry | None:
        """Return what the index contains about one token: all that a request needs."""
        return self._index.tokens.get(key)

    def metadata(self, entry: Entry) -> Token:
        """Return the metadata of ``entry``."""
        with damage_reported(self._secrets.file.path):
            return entry.token()

    def prefixes(self) -> Mapping[str, str]:
        """Return the key of the token that each prefix belongs to.

        A prefix in the scope of two tokens belongs to the one that was stored last.
        """
        return self._secrets.file.read().prefixes

    def vault_of(self, key: str) -> str:
        """Return the vault of the secret of ``key``: "keyring" or "file".

        Raises:
            NoToken: There is no such token.
        """
        return _stored(self._index, key).vault

    def secret(self, key: str) -> Secret:
        """Return the secret of the token ``key``.

        Raises:
            NoToken: There is no such token.
            SecretLost: The token is stored, and its secret was deleted by another program.
        """
        organization = _organization(key)
        secret = self._secrets.find(
            key,
            slot_of=lambda index: entry.slot if (entry := index.tokens.get(key)) else None,
            what=f"token of {organization!r}",
            command=f"conda token install --org {organization}",
        )
        if secret is None:
            raise _no_token(self._index, key)
        return secret

    def prove_writable(self) -> str:
        """Check that a token can be stored now; return its vault, "keyring" or "file"."""
        return self._secrets.prove()

    def add(self, token: Token, secret: Secret) -> str:
        """Store ``token``, in place of the one with its key if there is one.

        Returns:
            The vault that the secret went to: "keyring" or "file".
        """
        return self._secrets.put(
            token.key, secret, record=lambda index, slot: index.with_token(token, slot=slot)
        )

    def update(self, *tokens: Token) -> None:
        """Replace the metadata of stored tokens; their secrets stay as they are.

        Raises:
            NoToken: One of them is not stored; nothing was changed.
        """
        for token in tokens:
            _stored(self._index, token.key)  # before a lock is taken or a folder made
        if not tokens:
            return
        with self._secrets.changing(FILE) as change:
            index = change.index
            for token in tokens:
                index = index.with_metadata(token, slot=_stored(index, token.key).slot)
            change.commit(index)

    def remove(self, key: str) -> Token:
        """Remove the token ``key`` and return its metadata.

        If its secret cannot be deleted now, for example because the keyring is locked, a later
        write deletes it; a notice says so.

        Raises:
            NoToken: There is no such token.
        """
        slot = _stored(self._index, key).slot  # before a lock is taken or a folder made
        with self._secrets.changing(slot.place) as change:
            token = self.metadata(_stored(change.index, key))
            change.commit(change.index.without_token(key))
        return token

    def login(self, service: str) -> Secret | None:
        """Return the API key of the login to ``service``, or None if there is none.

        Raises:
            SecretLost: It is stored, and was deleted by another program.
        """
        return self._secrets.find(
            _login(service),
            slot_of=lambda index: index.logins.get(service),
            what=f"API key for {service}",
            command="conda token login",
        )

    def logins(self) -> frozenset[str]:
        """Return the services that there is a login for. Reads no secret."""
        return frozenset(self._index.logins)

    def channel_logins(self) -> Mapping[str, Entry]:
        """Return the logins whose API key is sent to channels, by service. Reads no secret."""
        index = self._index
        return {
            service: Entry(index.logins[service], held)
            for service, held in index.channel_logins.items()
            if service in index.logins
        }

    def credentials(self) -> tuple[Token, ...]:
        """Return the metadata of everything that the drop-in is written for.

        These are all tokens, the API keys that are sent to channels, ``configured``, and those that
        ``providers`` supply.
        """
        keys = map(self.metadata, self.channel_logins().values())
        commands = (provider.token for provider in self.providers())
        return (*self.tokens(), *keys, *self.configured(), *commands)

    def configured(self) -> tuple[Token, ...]:
        """Return the tokens in variables for which conda's channels are configured."""
        from conda_token_plugin.tokens.token import Token

        with damage_reported(self._secrets.file.path):
            return tuple(map(Token.from_json, self._index.configured.values()))

    def configure(self, *tokens: Token) -> None:
        """Store the channels of tokens that variables supply; forget those without channels."""
        if not tokens:
            return
        with self._secrets.changing(FILE) as change:
            index = change.index
            for token in tokens:
                index = index.with_configured(token)
            change.commit(index)

    def providers(self) -> tuple[Provider, ...]:
        """Return the commands that supply credentials, in the order in which they were added."""
        with damage_reported(self._secrets.file.path):
            return self._index.read_providers()

    def add_provider(self, provider: Provider) -> None:
        """Store ``provider``, in place of the one with its name if there is one."""
        with self._secrets.changing(FILE) as change:
            change.commit(change.index.with_provider(provider))

    def remove_provider(self, name: str) -> None:
        """Remove the provider ``name`` if there is one."""
        with self._secrets.changing(FILE) as change:
            change.commit(change.index.without_provider(name))

    def set_login(self, service: str, api_key: Secret, *, opens: Token | None = None) -> str:
        """Store the API key of a login, in place of the one before.

        Args:
            service: The address of the service.
            api_key: The key.
            opens: The metadata of the key as a credential for channels. None: it is sent to
                the service only.

        Returns:
            The vault that it went to: "keyring" or "file".
        """
        return self._secrets.put(
            _login(service),
            api_key,
            record=lambda index, slot: index.with_login(service, slot=slot, opens=opens),
        )

    def remove_login(self, service: str) -> bool:
        """Remove the API key of a login, as ``remove`` does; return False if there is none."""
        slot = self._index.logins.get(service)
        if slot is None:
            return False
        with self._secrets.changing(slot.place) as change:
            found = service in change.index.logins
            change.commit(change.index.without_login(service))
        return found

    def share(self, group: str) -> None:
        """Let ``group`` read the machine's store; new files get its group, too.

        Raises:
            BadInput: There is no such group on this machine.
        """
        number = group_number(group)
        with self.exclusive():
            self._secrets.folder.share(number)

    def entries(self) -> frozenset[str]:
        """Return the names of all entries in files and keyrings, also those pending deletion."""
        slots = (*self._index.slots(), *self._index.pending_deletes)
        return frozenset(slot.entry for slot in slots)

    @property
    def _index(self) -> Index:
        return self._secrets.file.read().content

    def _tell(self, line: str) -> None:
        if line not in self.notices:
            self.notices.append(line)


def _stored(index: Index, key: str) -> Entry:
    entry = index.tokens.get(key)
    if entry is None:
        raise _no_token(index, key)
    return entry


def _no_token(index: Index, key: str) -> NoToken:
    from conda_token_plugin.errors.store import NoToken

    return NoToken.for_organization(_organization(key), known=set(map(_organization, index.tokens)))


def _organization(key: str) -> str:
    return key.partition("@")[0]


def _login(service: str) -> str:
    """Return the name that an API key is sealed under; the key of a token contains an "@"."""
    return f"login {service}"

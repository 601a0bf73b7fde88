"""The public class of the store; ``transaction`` reads and writes for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.gateways import files
from conda_token_plugin.store.index import LOGINS, TOKENS, Entry
from conda_token_plugin.store.transaction import SecretStore
from conda_token_plugin.store.vaults import FILE
from conda_token_plugin.tokens.scope import longest_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from conda_token_plugin.errors.store import NoToken
    from conda_token_plugin.store.index import Index
    from conda_token_plugin.tokens.provider import Provider
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

    Result = TypeVar("Result")


class Store(SecretStore):
    """The tokens of one user, or of the machine, and the API keys of logins."""

    def closed_to(self) -> str | None:
        """Return the group that may read the machine's store if the user may not, or None."""
        return self._folder.closed_to()

    def tokens(self) -> tuple[Token, ...]:
        """Return the metadata of all tokens, by organization and key. Reads no secret."""
        held = (self._metadata(entry.metadata) for entry in self._index.tokens.values())
        return tuple(sorted(held, key=lambda token: (token.organization, token.key)))

    def token(self, key: str) -> Token | None:
        """Return the metadata of one token, or None if it is not stored. Reads no secret."""
        entry = self._index.tokens.get(key)
        return entry and self._metadata(entry.metadata)

    def covering(self, url: str) -> tuple[str, Token, str] | None:
        """Return the longest prefix that covers ``url``, its token and the vault of its secret.

        A prefix in the scope of two tokens belongs to the one that was stored last.
        """
        index, prefixes, _ = self._file.read()
        prefix = longest_prefix(url, among=prefixes)
        if prefix is None:
            return None
        entry = index.tokens[prefixes[prefix]]
        return prefix, self._metadata(entry.metadata), entry.slot.vault

    def vault_of(self, key: str) -> str:
        """Return the vault of the secret of ``key``: "keyring" or "file".

        Raises:
            NoToken: There is no such token.
        """
        return _stored(self._index, key).slot.vault

    def secret(self, key: str) -> Secret:
        """Return the secret of the token ``key``.

        Raises:
            NoToken: There is no such token.
            SecretLost: The token is stored, and its secret was deleted by another program.
        """
        organization = key.partition("@")[0]
        secret = self._find(
            TOKENS,
            key,
            what=f"token of {organization!r}",
            command=f"conda token install --org {organization}",
        )
        if secret is None:
            raise _no_token(self._index, key)
        return secret

    def add(self, token: Token, secret: Secret) -> str:
        """Store ``token``, in place of the one with its key if there is one.

        Returns:
            The vault that the secret went to: "keyring" or "file".
        """
        return self._put(TOKENS, token.key, secret, metadata=token.as_json())

    def update(self, *tokens: Token) -> None:
        """Replace the metadata of stored tokens; their secrets stay as they are.

        Raises:
            NoToken: One of them is not stored; nothing was changed.
        """
        for token in tokens:
            _stored(self._index, token.key)  # before a lock is taken or a folder is created
        if not tokens:
            return
        with self._changing(FILE) as change:
            held = change.index.tokens
            changed = {
                token.key: Entry(_stored(change.index, token.key).slot, token.as_json())
                for token in tokens
            }
            change.commit(change.index.with_entries(TOKENS, {**held, **changed}))

    def remove(self, key: str) -> Token:
        """Remove the token ``key`` and return its metadata.

        If its secret cannot be deleted now, for example because the keyring is locked, a later
        write deletes it; a notice says so.

        Raises:
            NoToken: There is no such token.
        """
        slot = _stored(self._index, key).slot  # before a lock is taken or a folder is created
        with self._changing(slot.place) as change:
            token = self._metadata(_stored(change.index, key).metadata)
            change.commit(change.index.removed(TOKENS, key))
        return token

    def login(self, service: str) -> Secret | None:
        """Return the API key of the login to ``service``, or None if there is none.

        Raises:
            SecretLost: It is stored, and was deleted by another program.
        """
        return self._find(
            LOGINS, service, what=f"API key for {service}", command="conda token login"
        )

    def logins(self) -> frozenset[str]:
        """Return the services that there is a login for. Reads no secret."""
        return frozenset(self._index.logins)

    def channel_logins(self) -> dict[str, Token]:
        """Return the logins whose API key is sent to channels, by service. Reads no secret."""
        return {
            service: self._metadata(entry.metadata)
            for service, entry in self._index.logins.items()
            if entry.metadata
        }

    def set_login(self, service: str, api_key: Secret, *, opens: Token | None = None) -> str:
        """Store the API key of a login, in place of the previous one.

        Args:
            service: The address of the service.
            api_key: The key.
            opens: The metadata of the key as a credential for channels. None: it is sent to
                the service only.

        Returns:
            The vault that it went to: "keyring" or "file".
        """
        return self._put(LOGINS, service, api_key, metadata=opens.as_json() if opens else {})

    def remove_login(self, service: str) -> bool:
        """Remove the API key of a login, as ``remove`` does; return False if there is none."""
        entry = self._index.logins.get(service)
        if entry is not None:
            with self._changing(entry.slot.place) as change:
                change.commit(change.index.removed(LOGINS, service))
        return entry is not None

    def credentials(self) -> tuple[Token, ...]:
        """Return the metadata of everything that the drop-in is written for."""
        commands = (provider.token for provider in self.providers())
        keys = self.channel_logins().values()
        return (*self.tokens(), *keys, *self.configured(), *commands)

    def configured(self) -> tuple[Token, ...]:
        """Return the tokens in variables for which conda's channels are configured."""
        return tuple(map(self._metadata, self._index.configured.values()))

    def configure(self, *tokens: Token) -> None:
        """Store the channels of tokens that variables supply; forget those without channels."""
        if not tokens:
            return
        with self._changing(FILE) as change:
            configured = dict(change.index.configured)
            for token in tokens:
                configured.pop(token.key, None)
                if token.channels or token.default_channels:
                    configured[token.key] = token.as_json()
            change.commit(change.index._replace(configured=configured))

    def providers(self) -> tuple[Provider, ...]:
        """Return the commands that supply credentials, in the order in which they were added."""
        found = self._index.providers
        if not found:  # most processes do not import the module
            return ()
        from conda_token_plugin.tokens.provider import Provider

        return tuple(self._parsed(Provider.from_json, *item) for item in found.items())

    def add_provider(self, provider: Provider) -> None:
        """Store ``provider``, in place of the one with its name if there is one."""
        with self._changing(FILE) as change:
            providers = {**change.index.providers, provider.name: provider.as_json()}
            change.commit(change.index._replace(providers=providers))

    def remove_provider(self, name: str) -> None:
        """Remove the provider ``name`` if there is one."""
        with self._changing(FILE) as change:
            providers = {one: held for one, held in change.index.providers.items() if one != name}
            change.commit(change.index._replace(providers=providers))

    def share(self, group: str) -> None:
        """Let ``group`` read the machine's store; new files also get its group.

        Raises:
            BadInput: There is no such group on this machine.
        """
        number = files.group_number(group)
        with self.exclusive():
            self._folder.share(number)

    def entries(self) -> frozenset[str]:
        """Return the names of all entries in files and keyrings, also those pending deletion."""
        index = self._index
        return frozenset(slot.entry for slot in (*index.slots(), *index.pending_deletes))

    def _metadata(self, held: Mapping[str, Any]) -> Token:
        from conda_token_plugin.tokens.token import Token

        return self._parsed(Token.from_json, held)

    def _parsed(self, read: Callable[..., Result], *parts: object) -> Result:
        """Return what ``read`` makes of parts of the index."""
        try:
            return read(*parts)
        except (KeyError, TypeError, ValueError):  # written by another program
            from conda_token_plugin.errors.store import StoreCorrupt

            raise StoreCorrupt(self._file.path, fault="a part of it cannot be read") from None


def _stored(index: Index, key: str) -> Entry:
    entry = index.tokens.get(key)
    if entry is None:
        raise _no_token(index, key)
    return entry


def _no_token(index: Index, key: str) -> NoToken:
    from conda_token_plugin.errors.store import NoToken

    known = {one.partition("@")[0] for one in index.tokens}
    return NoToken.for_organization(key.partition("@")[0], known=known)

"""The tokens and API keys of this machine, by where they are from.

``lookup`` has the order of precedence. The secret of a stored token is read when it is sent.
"""

from __future__ import annotations

from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.settings import organization_of, token_variable
from conda_token_plugin.store import MACHINE, USER
from conda_token_plugin.tokens.repository_layout import organization_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token


class Credential(NamedTuple):
    """A stored or supplied token, or an API key. Its secret is not read before it is used."""

    source: str
    """For messages: a variable, a path, "keyring", "file" or "machine"."""
    secret: Callable[[], Secret]
    """Reads the secret. May raise StoreError or MalformedToken."""
    metadata: Callable[[], Token]
    """Returns the metadata. Those of an API key in the environment need its secret."""
    prefix: str = ""
    """The prefix of the token's scope that covers the URL; empty if no URL was looked up."""
    discard: Callable[[Callable[[Secret], bool]], None] | None = None
    """Called when a server has refused a secret, with a function that returns True for that one.
    The next ``secret`` may return another one. None if the secret cannot change while the process
    runs."""
    supplied_until: Callable[[], datetime | None] | None = None
    """For a provider: when the last secret that it supplied expires; None if it did not say."""

    @classmethod
    def of(
        cls, token: Token, *, source: str, secret: Callable[[], Secret], prefix: str = ""
    ) -> Credential:
        """Return the credential with the metadata ``token``."""
        return cls(source, secret, lambda: token, prefix)

    @property
    def token(self) -> Token:
        """The metadata.

        Raises:
            StoreError, MalformedToken: It is an API key, and its secret cannot be read.
        """
        return self.metadata()

    @property
    def key(self) -> str:
        """The key of ``token``. Raises as ``token``."""
        return self.token.key


class ReadOnce:
    """Reads a secret in the first thread that needs it; the others wait. A failure is also kept."""

    def __init__(self, read: Callable[[], Secret]) -> None:
        """Take the function that reads it, and do not call it."""
        self._read = read
        self._lock = Lock()
        self._found: Secret | TokenPluginError | None = None

    def __call__(self) -> Secret:
        """Return the secret, or raise what reading it has raised."""
        from conda_token_plugin.errors import TokenPluginError

        with self._lock:
            if self._found is None:
                try:
                    self._found = self._read()
                except TokenPluginError as error:
                    self._found = error
            found = self._found
        if isinstance(found, TokenPluginError):
            raise found
        return found


def all_credentials(settings: Settings, *, stores: Mapping[str, Store]) -> tuple[Credential, ...]:
    """Return everything that can be sent to channels. Run no command and read no stored secret.

    Raises:
        BadInput, MalformedURL, ConfigurationError: As ``api_keys``.
        StoreError, MalformedToken: As ``all_tokens``.
    """
    provided = (
        held
        for name, store in stores.items()
        for held in provided_by(store, name=name, settings=settings).values()
    )
    tokens, keys = all_tokens(settings, stores=stores), api_keys(settings, user=stores[USER])
    return (*tokens, *provided, *keys)


def all_tokens(settings: Settings, *, stores: Mapping[str, Store]) -> tuple[Credential, ...]:
    """Return every token of this machine, in the order of precedence. Reads no stored secret.

    Raises:
        StoreError: A store cannot be read.
        MalformedToken: A variable, or the file that it names, contains no token.
    """
    stored = (
        Credential.of(
            token,
            source=store.vault_of(token.key) if name == USER else name,
            secret=partial(store.secret, token.key),
        )
        for name, store in stores.items()
        for token in store.tokens()
    )
    return (*all_supplied(settings), *stored)


def supplied(settings: Settings, *, organization: str | None) -> Credential | None:
    """Return the token of the environment for ``organization``, or for the whole repository.

    Raises:
        MalformedToken: A variable, or the file that it names, contains no token.
        StoreUnusable: The file that a variable names cannot be read.
    """
    for owner in dict.fromkeys((organization or "", "")):
        found = settings.repository_token(token_variable(owner))
        if found is not None:
            return _supplied(settings, organization=owner, found=found)
    return None


def all_supplied(settings: Settings) -> Iterator[Credential]:
    """Yield every token of the environment. Raises as ``supplied``."""
    for name in settings.repository_tokens():
        found = settings.repository_token(name)
        if found is not None:
            yield _supplied(settings, organization=organization_of(name), found=found)


def _supplied(settings: Settings, *, organization: str, found: tuple[str, Secret]) -> Credential:
    """Return what the variable ``found[0]`` supplies; ``organization`` is empty for all."""
    from conda_token_plugin.tokens.token import Token, TokenKind

    source, secret = found
    repository = settings.repo_url
    prefix = organization_prefix(repository, organization) if organization else repository[:-1]
    token = Token(
        organization=organization or "(any)",
        kind=TokenKind.UNKNOWN,
        scope=(prefix,),
        last_four=secret.last_four,
    )
    return Credential.of(token, source=source, secret=lambda: secret, prefix=prefix)


def provided_by(store: Store, *, name: str, settings: Settings) -> Mapping[str, Credential]:
    """Return the credentials that the commands in ``store`` supply, by prefix. Run no command.

    Raises:
        StoreError: The store cannot be read.
    """
    providers = store.providers()
    if not providers:
        return {}
    from conda_token_plugin.store.providers import RUNNING, cached_result

    if RUNNING in settings.variables:
        return {}
    found = {}
    where = " of this machine" if name == MACHINE else ""
    for one in providers:
        answer = cached_result(one, settings=settings)
        source = f"provider {one.name}{where}"
        held = Credential.of(one.token, source=source, secret=answer.secret, prefix=one.scope)
        found[one.scope] = held._replace(discard=answer.discard, supplied_until=answer.expires)
    return found


def api_keys(settings: Settings, *, user: Store | None) -> tuple[Credential, ...]:
    """Return the API keys that are sent to channels, in the order of precedence. Read no secret.

    A key is sent to the repository of the site that it belongs to and to no other URL: the key of
    the environment to that of ``Settings.default_site``, a login to the one that was its site's
    when the user logged in.

    Without ``user``, the user's store, no login is considered.

    Raises:
        BadInput, MalformedURL, ConfigurationError: The default site cannot be determined.
        StoreError: The store cannot be read.
    """
    source = settings.api_key_source()
    prefix = settings.default_site.key_prefix if source else None
    given = _given_key(settings, source=source, prefix=prefix) if source and prefix else None
    return (*([given] if given else ()), *(_logins(user) if user else ()))


def _given_key(settings: Settings, *, source: str, prefix: str) -> Credential:
    """Return the API key of the environment."""

    @ReadOnce
    def secret() -> Secret:
        found = settings.api_key()
        if found is None:  # the file was removed meanwhile
            from conda_token_plugin.errors.store import NoToken

            raise NoToken(f"{source} contains no API key any more.", hint="Set it again.")
        return found[1]

    @cache
    def metadata() -> Token:
        from conda_token_plugin.tokens.api_key import channel_credential

        return channel_credential(secret(), prefix=prefix)

    return Credential(source, secret, metadata, prefix)


def _logins(store: Store) -> Iterator[Credential]:
    for service, token in store.channel_logins().items():
        secret = ReadOnce(partial(_login, store, service=service))
        for prefix in token.scope:
            yield Credential.of(token, source=f"login to {service}", secret=secret, prefix=prefix)


def _login(store: Store, *, service: str) -> Secret:
    found = store.login(service)
    if found is None:  # another process logged out meanwhile
        from conda_token_plugin.errors.store import NoToken

        raise NoToken(f"The login to {service} was removed.", hint="Run: conda token login")
    return found

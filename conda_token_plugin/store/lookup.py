"""Find the token for a URL. Commands and the auth handler use the same lookup.

Precedence; the first source that has a token for the URL is used, and within a source the
longest prefix that covers the URL:

1. ``ANACONDA_REPO_TOKEN_<ORG>``, for the organization's part of the repository
2. the file that ``ANACONDA_REPO_TOKEN_<ORG>_FILE`` names
3. ``/run/secrets/anaconda_repo_token_<org>``
4. ``ANACONDA_REPO_TOKEN``, then ``ANACONDA_REPO_TOKEN_FILE``, then
   ``/run/secrets/anaconda_repo_token``: for the whole repository
5. a command of the user, which ``conda token provider add`` names
6. the user's store, which ``conda token install`` writes
7. a command of the machine, which ``conda token provider add --system`` names
8. the machine's store, which ``conda token install --system`` writes
9. ``ANACONDA_AUTH_API_KEY``, the file that ``ANACONDA_AUTH_API_KEY_FILE`` names, or
   ``/run/secrets/anaconda_auth_api_key``: for the repository of the default site
10. the API key of ``conda token login``, unless ``--no-channels`` was given: for the repository
    of the site of the login

1 to 8 are tokens, 9 and 10 are API keys. The channels in ``scope.API_KEY_CHANNELS`` accept
an API key only, so for them 9 and 10 come first. If a channel refuses the first of the two, the
auth handler repeats the request once with the other (``auth.responses``). If a command supplies
nothing, the request is sent without a token, and not with one of a later source.

A URL that already contains credentials never receives a stored token.

Every download waits for this module, so it imports and creates only what a request needs.
"""

from __future__ import annotations

from functools import cache, cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING

from conda_token_plugin.store.held_token import HeldToken
from conda_token_plugin.store.supplied import SuppliedTokens
from conda_token_plugin.tokens.scope import (
    API_KEY_CHANNELS,
    folder_of,
    longest_prefix,
    organization_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

USER, MACHINE = "user", "machine"
MAX_REMEMBERED = 4096
"""Number of folders whose result is cached, so that the memory of a process stays bounded."""


class Lookup:
    """The lookup of one process; reads each store once and each secret once."""

    def __init__(self, settings: Settings, *, stores: Mapping[str, Store] | None = None) -> None:
        """Do no I/O and raise nothing, whatever the settings are.

        Args:
            settings: The variables of the process.
            stores: The stores by name, in the order of precedence. None opens those that
                the settings name, when the first URL needs them.
        """
        self._settings = settings
        self._stores = stores
        self._supplied = SuppliedTokens(settings)
        self._lock = Lock()
        self._secrets: dict[str, Future[Secret]] = {}
        self._results: dict[str, HeldToken | None] = {}
        self._provided: dict[str, Mapping[str, HeldToken]] = {}

    def find(self, url: str) -> HeldToken | None:
        """Return the first choice for ``url``, or None.

        Raises:
            BadInput: a setting is wrong, such as the store's folder.
            StoreError: a store cannot be read.
            MalformedToken: a variable that would supply the token holds none.
        """
        folder = folder_of(url)
        try:
            return self._results[folder]
        except KeyError:  # the first request below this folder
            if len(self._results) >= MAX_REMEMBERED:
                self._results.clear()
            return self._results.setdefault(folder, self._resolve(folder))

    def alternative(self, url: str, *, to: HeldToken) -> HeldToken | None:
        """Return the API key for ``url`` if ``to`` is a token, the token if it is the API key.

        Raises:
            BadInput, StoreError, MalformedToken: As ``find``.
        """
        folder = folder_of(url)
        both = (self._token(folder), self._api_key(folder))
        if to.key not in [one.key for one in both if one]:
            return None
        return next((one for one in both if one and one.key != to.key), None)

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user's store repaired when it was read."""
        return tuple(self._stores[USER].notices) if self._stores else ()

    def _resolve(self, folder: str) -> HeldToken | None:
        token = self._token(folder)
        if token is not None and not any(f"/{name}" in folder for name in API_KEY_CHANNELS):
            return token
        key = self._api_key(folder)
        if key is None or token is None:
            return key or token
        return key if _accepts_api_key_only(folder, repository=key.prefix) else token

    def _token(self, folder: str) -> HeldToken | None:
        return self._in_environment(folder) or next(
            (
                found
                for name in self._opened()
                if (found := self._from_provider(name, folder) or self._in_store(name, folder))
            ),
            None,
        )

    def _api_key(self, folder: str) -> HeldToken | None:
        for key in self._api_keys:
            if longest_prefix(folder, among={key.prefix}) is not None:
                return key
        return None

    @cached_property
    def _api_keys(self) -> tuple[HeldToken, ...]:
        """The API keys for channels, in the order of precedence."""
        return api_keys(self._settings, user=self._opened().get(USER))

    def _opened(self) -> Mapping[str, Store]:
        with self._lock:
            if self._stores is None:
                self._stores = stores_of(self._settings)
            return self._stores

    def _in_environment(self, folder: str) -> HeldToken | None:
        repository = self._settings.repo_url
        if longest_prefix(folder, among={repository.rstrip("/")}) is None:
            return None
        return self._supplied.find(organization_of(folder, repository=repository))

    def _from_provider(self, name: str, folder: str) -> HeldToken | None:
        """Return what a command supplies that the store ``name`` lists. Run no command."""
        provided = self._provided.get(name)
        if provided is None:
            found = provided_by(self._opened()[name], name=name, settings=self._settings)
            # If two threads get here, both must use the same objects, which cache the answers.
            provided = self._provided.setdefault(name, found)
        prefix = longest_prefix(folder, among=provided) if provided else None
        return None if prefix is None else provided[prefix]

    def _in_store(self, name: str, folder: str) -> HeldToken | None:
        store = self._opened()[name]
        prefixes = store.prefixes()
        prefix = longest_prefix(folder, among=prefixes)
        if prefix is None:
            return None
        key = prefixes[prefix]
        entry = store.entry(key)
        if entry is None:  # another process removed it between the two reads
            return None
        return HeldToken(
            key,
            source=entry.vault if name == USER else name,
            secret=lambda: self._once(f"{name} {key}", lambda: store.secret(key)),
            metadata=cache(lambda: store.metadata(entry)),
            prefix=prefix,
            about=entry.metadata,
        )

    def _once(self, name: str, read: Callable[[], Secret]) -> Secret:
        """Read the secret ``name`` in the first thread that needs it; the others wait for it."""
        from concurrent.futures import Future  # 5 ms that a command without a request saves

        with self._lock:
            result = self._secrets.get(name)
            first = result is None
            result = self._secrets.setdefault(name, Future()) if result is None else result
        if first:
            try:
                result.set_result(read())
            except BaseException as error:  # noqa: BLE001  # raised again in every waiting thread
                result.set_exception(error)
        return result.result()


def _accepts_api_key_only(folder: str, *, repository: str) -> bool:
    only = {f"{repository}/{name}" for name in API_KEY_CHANNELS}
    return longest_prefix(folder, among=only) is not None


def api_keys(settings: Settings, *, user: Store | None) -> tuple[HeldToken, ...]:
    """Return the API keys that are sent to channels, in the order of precedence. Read no secret.

    Args:
        settings: The variables of the process.
        user: The user's store, which has the logins. None: no login is considered.

    Raises:
        BadInput, MalformedURL, ConfigurationError: The default site cannot be determined.
        StoreError: The store cannot be read.
    """
    source = settings.api_key_source()
    logins = user is not None and user.channel_logins()
    if not (source or logins):
        return ()
    from conda_token_plugin.store.api_keys import from_environment, from_logins

    given = from_environment(settings, source=source) if source else None
    return (*([given] if given else ()), *(from_logins(user) if user else ()))


def provided_by(store: Store, *, name: str, settings: Settings) -> Mapping[str, HeldToken]:
    """Return the credentials that the commands in ``store`` supply, by prefix. Run no command.

    Raises:
        StoreError: The store cannot be read.
    """
    if not store.providers():
        return {}
    from conda_token_plugin.store.providers import credentials_of

    return credentials_of(store, settings=settings, machine=name == MACHINE)


def all_credentials(settings: Settings, *, stores: Mapping[str, Store]) -> tuple[HeldToken, ...]:
    """Return everything that can be sent to channels: ``holdings``, commands and API keys.

    No command is run and no stored secret is read.

    Raises:
        BadInput, MalformedURL, ConfigurationError: The default site cannot be determined.
        StoreError: A store cannot be read.
        MalformedToken: A variable, or the file that it names, holds no token.
    """
    provided = (
        held
        for name, store in stores.items()
        for held in provided_by(store, name=name, settings=settings).values()
    )
    keys = api_keys(settings, user=stores[USER])
    return (*holdings(settings, stores=stores), *provided, *keys)


def holdings(settings: Settings, *, stores: Mapping[str, Store]) -> tuple[HeldToken, ...]:
    """Return every token of this machine, in the order of precedence. Reads no stored secret.

    Raises:
        StoreError: a store cannot be read.
        MalformedToken: a variable, or the file that it names, holds no token.
    """
    stored = (
        _held(token, source=store.vault_of(token.key) if name == USER else name, store=store)
        for name, store in stores.items()
        for token in store.tokens()
    )
    return (*SuppliedTokens(settings).all(), *stored)


def _held(token: Token, *, source: str, store: Store) -> HeldToken:
    return HeldToken(
        token.key,
        source=source,
        secret=partial(store.secret, token.key),
        metadata=lambda: token,
        about=token.as_json(),
    )


def stores_of(settings: Settings) -> dict[str, Store]:
    """Return the stores in the order of precedence. Does no I/O.

    Raises:
        BadInput: a setting of a store is wrong.
    """
    from conda_token_plugin.store import machine_store, user_store

    return {USER: user_store(settings), MACHINE: machine_store(settings)}

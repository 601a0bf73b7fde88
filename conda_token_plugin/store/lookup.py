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

1 to 8 are tokens, 9 and 10 are API keys. The channels in ``API_KEY_CHANNELS`` accept an API key
only, so for them 9 and 10 come first. If a channel refuses the first of the two, the
auth handler repeats the request once with the other (``auth.responses``). If a command supplies
nothing, the request is sent without a token, and not with one of a later source.

A URL that already contains credentials never receives a stored token.

Every download waits for this module, so it imports and creates only what a request needs.
"""

from __future__ import annotations

from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING

from conda_token_plugin.store import USER, stores_of
from conda_token_plugin.store.sources import (
    Credential,
    ReadOnce,
    api_keys,
    provided_by,
    supplied,
)
from conda_token_plugin.tokens.repository_layout import API_KEY_CHANNELS, organization_of
from conda_token_plugin.tokens.scope import channel_of, folder_of, longest_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store

MAX_REMEMBERED = 4096
"""Number of folders whose result is cached, so that the memory of a process stays bounded."""


class Lookup:
    """The lookup of one process; reads each store once and each secret once."""

    def __init__(self, settings: Settings, *, stores: Mapping[str, Store] | None = None) -> None:
        """Do no I/O, and raise nothing even if a setting is invalid.

        Args:
            settings: The variables of the process.
            stores: The stores by name, in the order of precedence. None opens those that
                the settings name, when the first URL needs them.
        """
        self._settings = settings
        self._stores = stores
        self.accepted: dict[str, str] = {}
        """By channel: the key of the credential to send first, because the other one was refused.
        ``auth.responses`` writes it."""
        self._lock = Lock()
        self._secrets: dict[str, ReadOnce] = {}
        self._results: dict[str, Credential | None] = {}
        self._provided: dict[str, Mapping[str, Credential]] = {}

    def find(self, url: str) -> Credential | None:
        """Return the first choice for ``url``, or None.

        Raises:
            BadInput: a setting is wrong, such as the store's folder.
            StoreError: a store cannot be read.
            MalformedToken: a variable that would supply the token contains none.
        """
        folder = folder_of(url)
        try:
            return self._results[folder]
        except KeyError:  # the first request below this folder
            if len(self._results) >= MAX_REMEMBERED:
                self._results.clear()
            return self._results.setdefault(folder, self._resolve(folder))

    def candidates(self, url: str) -> Iterator[Credential]:
        """Yield the credentials for ``url``: the first choice, and the API key or token beside it.

        In a channel that has accepted the second one after a refusal, that one comes first.

        Raises:
            BadInput, StoreError, MalformedToken: As ``find``.
        """
        first = self.find(url)
        if first is None:
            return
        accepted = self.accepted.get(channel_of(url)) if self.accepted else None
        is_refused = accepted is not None and accepted != first.key
        if not is_refused:
            yield first
        other = self.alternative(url, to=first)
        if other is not None:
            yield other
        if is_refused:
            yield first

    def alternative(self, url: str, *, to: Credential) -> Credential | None:
        """Return the API key for ``url`` if ``to`` is a token, the token if it is the API key.

        Raises:
            BadInput, StoreError, MalformedToken: As ``find``.
        """
        folder = folder_of(url)
        both = (self._token(folder), self._api_key(folder))
        if to.key not in [one.key for one in both if one]:
            return None
        return next((one for one in both if one and one.key != to.key), None)

    def usable(self, url: str, *, now: datetime) -> Credential | None:
        """Return the first of ``candidates`` that is not known to have expired at ``now``, or None.

        Raises:
            BadInput, StoreError, MalformedToken: As ``find``.
        """
        for one in self.candidates(url):
            if one.token.is_usable_or_stale(now=now):
                return one
        return None

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user's store repaired when it was read."""
        return tuple(self._stores[USER].notices) if self._stores else ()

    def _resolve(self, folder: str) -> Credential | None:
        token = self._token(folder)
        if token is not None and not any(f"/{name}" in folder for name in API_KEY_CHANNELS):
            return token
        key = self._api_key(folder)
        if key is None or token is None:
            return key or token
        return key if _accepts_api_key_only(folder, repository=key.prefix) else token

    def _token(self, folder: str) -> Credential | None:
        return self._in_environment(folder) or next(
            (
                found
                for name in self._opened()
                if (found := self._from_provider(name, folder) or self._in_store(name, folder))
            ),
            None,
        )

    def _api_key(self, folder: str) -> Credential | None:
        for key in self._api_keys:
            if longest_prefix(folder, among={key.prefix}) is not None:
                return key
        return None

    @cached_property
    def _api_keys(self) -> tuple[Credential, ...]:
        """The API keys for channels, in the order of precedence."""
        return api_keys(self._settings, user=self._opened().get(USER))

    def _opened(self) -> Mapping[str, Store]:
        with self._lock:
            if self._stores is None:
                self._stores = stores_of(self._settings)
            return self._stores

    def _in_environment(self, folder: str) -> Credential | None:
        repository = self._settings.repo_url
        if longest_prefix(folder, among={repository.rstrip("/")}) is None:
            return None
        organization = organization_of(folder, repository=repository)
        return supplied(self._settings, organization=organization)

    def _from_provider(self, name: str, folder: str) -> Credential | None:
        """Return what a command supplies that the store ``name`` lists. Run no command."""
        provided = self._provided.get(name)
        if provided is None:
            found = provided_by(self._opened()[name], name=name, settings=self._settings)
            # If two threads get here, both must use the same objects, which cache the answers.
            provided = self._provided.setdefault(name, found)
        prefix = longest_prefix(folder, among=provided) if provided else None
        return None if prefix is None else provided[prefix]

    def _in_store(self, name: str, folder: str) -> Credential | None:
        store = self._opened()[name]
        covering = store.covering(folder)
        if covering is None:
            return None
        prefix, token, vault = covering
        # If two threads get here, both must use the same object, which reads the secret once.
        secret = self._secrets.setdefault(
            f"{name} {token.key}", ReadOnce(partial(store.secret, token.key))
        )
        source = vault if name == USER else name
        return Credential.of(token, source=source, secret=secret, prefix=prefix)


def _accepts_api_key_only(folder: str, *, repository: str) -> bool:
    only = {f"{repository}/{name}" for name in API_KEY_CHANNELS}
    return longest_prefix(folder, among=only) is not None

"""The one resolver: from a URL to its token, and from where.

Precedence; the first that has a token for the URL wins, and within one the longest prefix:

1. the environment: ``ANACONDA_REPO_TOKEN_<ORG>`` for the organization's part of the repository,
   then ``ANACONDA_REPO_TOKEN`` for the whole repository (each also ``_FILE``, and
   ``/run/secrets/anaconda_repo_token[_<org>]``)
2. the user's store: what ``conda token install`` stored
3. the machine's store: what ``conda token install --system`` stored

Whatever a URL carries itself (``user:password@``, ``/t/<token>/``) is left as it is:
such a URL has no token here.

Every download waits for this module. So nothing is made here, and no module is imported, that a
usual request has no use for; and its classes, as those of the modules that it imports,
are made by hand: a NamedTuple takes 0.2 ms to make, a frozen dataclass 1 ms (Python 3.11).
"""

from __future__ import annotations

from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import unquote

from conda_token_plugin.settings import token_variable
from conda_token_plugin.tokens.authorization import TOKEN
from conda_token_plugin.tokens.scope import (
    ARCHIVE_CHANNELS,
    SHARED_CHANNELS,
    channel_of,
    longest_prefix,
    normalised,
    organization_prefix,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future
    from typing import Any

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

NO_ORGANIZATION = frozenset({*SHARED_CHANNELS, *ARCHIVE_CHANNELS})
"""First path segments of the repository that are channels and not organizations."""
USER, MACHINE = "user", "machine"
MOST_REMEMBERED = 4096
"""Folders whose answer is remembered, so that a process's memory stays bounded."""


class Found:
    """A token for a URL: where it is from, and how to get at its metadata and its secret."""

    __slots__ = ("_about", "_tell", "_token", "key", "prefix", "secret", "source")

    def __init__(  # noqa: PLR0913  # what there is to know, named at each call
        self,
        key: str,
        *,
        source: str,
        prefix: str,
        secret: Callable[[], Secret],
        tell: Callable[[], Token],
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """``source`` is for people: "ANACONDA_REPO_TOKEN", "keyring", "file", "machine".

        ``prefix`` is the one of the token's scope that covers the URL: why it was chosen.
        ``tell`` gives the metadata, and ``about`` is what the store has of them as it stands
        there; nothing where the environment supplies the token.
        """
        self.key = key
        self.source = source
        self.prefix = prefix
        self.secret = secret
        self._tell = tell
        self._token: Token | None = None
        self._about = about or {}

    @property
    def token(self) -> Token:
        """The metadata. May raise StoreError, where a writer that is not this plugin was there."""
        if self._token is None:
            self._token = self._tell()
        return self._token

    @property
    def way(self) -> str:
        """The value of its ``tokens.Way``."""
        return self.token.way.value if self._about.get("way") else TOKEN

    @property
    def username(self) -> str:
        """Only for ``AuthScheme.BASIC``."""
        return self.token.username

    def worth_trying(self, *, now: datetime) -> bool:
        """As ``tokens.Token.worth_trying``; of one that is plain, no metadata are made.

        Raises:
            StoreError: they cannot be read. After this, ``way`` and ``username`` raise nothing.
        """
        return _plain(self._about, now=now) or self.token.worth_trying(now=now)


class Lookup:
    """Answers for one process; reads each store once and each secret once."""

    def __init__(self, settings: Settings, *, stores: Mapping[str, Store]) -> None:
        """``stores`` in the order of precedence, by name: "user", "machine". Does no I/O."""
        self._environment = settings
        self._stores = stores
        self._lock = Lock()
        self._secrets: dict[str, Future[Secret]] = {}
        self._answers: dict[str, Found | None] = {}

    def find(self, url: str) -> Found | None:
        """The token that a request for ``url`` is given, or None.

        Raises:
            StoreError: a store that would have to be asked cannot be read.
            MalformedToken: a variable that would supply it holds no token.
        """
        folder = channel_of(url)
        try:
            return self._answers[folder]
        except KeyError:  # the first request below this folder
            if len(self._answers) >= MOST_REMEMBERED:
                self._answers.clear()
            return self._answers.setdefault(folder, self._resolve(folder))

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user's store repaired meanwhile; not whether the machine's is for this user."""
        return tuple(self._stores[USER].notices)

    def _resolve(self, folder: str) -> Found | None:
        return self._in_environment(folder) or next(
            (found for name in self._stores if (found := self._in_store(name, folder))), None
        )

    def _in_environment(self, folder: str) -> Found | None:
        repository = self._environment.repo_url.rstrip("/")
        if longest_prefix(folder, among={repository}) is None:
            return None
        first = normalised(folder)[len(repository) + 1 :].partition("/")[0]
        organization = "" if first in NO_ORGANIZATION else unquote(first)
        return supplied(self._environment, organization=organization)

    def _in_store(self, name: str, folder: str) -> Found | None:
        store = self._stores[name]
        prefixes = store.prefixes()
        prefix = longest_prefix(folder, among=prefixes)
        if prefix is None:
            return None
        key = prefixes[prefix]
        entry = store.entry(key)
        if entry is None:  # it was removed between the two reads
            return None
        return Found(
            key,
            source=entry.vault if name == USER else name,
            prefix=prefix,
            secret=lambda: self._once(f"{name} {key}", lambda: store.secret(key)),
            tell=lambda: store.metadata(entry),
            about=entry.metadata,
        )

    def _once(self, name: str, read: Callable[[], Secret]) -> Secret:
        """One read a name, whoever asks first; the lock is not held while reading."""
        from concurrent.futures import Future  # 5 ms that commands which only look never need

        with self._lock:
            answer = self._secrets.get(name)
            first = answer is None
            answer = self._secrets.setdefault(name, Future()) if answer is None else answer
        if first:
            try:
                answer.set_result(read())
            except BaseException as error:  # noqa: BLE001  # threads that wait must hear of any
                answer.set_exception(error)
        return answer.result()


def supplied(settings: Settings, *, organization: str) -> Found | None:
    """The token that the environment supplies for ``organization`` ("" for none in particular).

    Raises:
        MalformedToken: a variable, or the file it names, holds no token.
        StoreUnusable: the file that a variable names cannot be read.
    """
    for owner in dict.fromkeys((organization, "")):
        found = settings.repository_token(token_variable(owner))
        if found is not None:
            return from_variable(settings, organization=owner, found=found)
    return None


def from_variable(settings: Settings, *, organization: str, found: tuple[str, Secret]) -> Found:
    """What a variable supplies: ``found`` is its name and what it holds.

    ``organization`` is "" where it is for none in particular.
    """
    source, secret = found
    repository = settings.repo_url
    prefix = organization_prefix(repository, organization) if organization else repository[:-1]
    owner = organization or "(any)"

    def tell() -> Token:
        from conda_token_plugin.tokens.token import Token, TokenKind

        scope, shown = (prefix,), secret.last_four
        return Token(organization=owner, kind=TokenKind.UNKNOWN, scope=scope, last_four=shown)

    key = f"{owner}@{prefix}"
    return Found(key, source=source, prefix=prefix, secret=lambda: secret, tell=tell)


def _plain(about: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether nothing has to be known of a token but that: no verdict, no end, no other way."""
    ends = filter(None, map(about.get, ("expires", "subscription_ends")))
    if about.get("verdict") or about.get("way"):
        return False
    try:
        return all(datetime.fromisoformat(end) > now for end in ends)
    except (TypeError, ValueError):  # not as this plugin writes it
        return False


def stores_of(settings: Settings) -> dict[str, Store]:
    """The stores that are asked, in the order of precedence. Does no I/O."""
    from conda_token_plugin.store import machine_store, user_store

    return {USER: user_store(settings), MACHINE: machine_store(settings)}


def resolver(settings: Settings) -> Lookup:
    """The resolver of a process."""
    return Lookup(settings, stores=stores_of(settings))

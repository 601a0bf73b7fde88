"""The one resolver: from a URL to its token, and from where.

Precedence; the first that has a token for the URL wins, and within one the longest prefix:

1. the environment: ``ANACONDA_REPO_TOKEN_<ORG>`` for the organization's part of the repository,
   then ``ANACONDA_REPO_TOKEN`` for the whole repository (each also ``_FILE``, and
   ``/run/secrets/anaconda_repo_token[_<org>]``)
2. the user's store: what ``conda token install`` stored
3. the machine's store: what ``conda token install --system`` stored

Whatever a URL carries itself (``user:password@``, ``/t/<token>/``) is left as it is:
such a URL has no token here.
"""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from conda_token_plugin.channels import (
    ARCHIVE_CHANNELS,
    SHARED_CHANNELS,
    channel_of,
    longest_prefix,
    normalised,
    organization_prefix,
)
from conda_token_plugin.environment import organization_of, token_variable
from conda_token_plugin.tokens import Kind, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from conda_token_plugin.environment import Environment
    from conda_token_plugin.secret import Secret
    from conda_token_plugin.store import Store

NO_ORGANIZATION = frozenset({*SHARED_CHANNELS, *ARCHIVE_CHANNELS})
"""First path segments of the repository that are channels and not organizations."""
USER, MACHINE = "user", "machine"
MOST_REMEMBERED = 4096
"""Folders whose answer is remembered, so that a process's memory stays bounded."""


class Found(NamedTuple):
    """A token for a URL: its metadata, where it is from, and how to get at the secret.

    Not a dataclass, because the first request of a process waits for this module:
    making a frozen one takes 0.6 ms, making this 0.1 (Python 3.11).
    """

    token: Token
    source: str
    """For people: "ANACONDA_REPO_TOKEN", "keyring", "file", "machine"."""
    prefix: str
    """The prefix of the token's scope that covers the URL: why it was chosen."""
    secret: Callable[[], Secret]


class Lookup:
    """Answers for one process; reads each store once and each secret once."""

    def __init__(self, environment: Environment, *, stores: Mapping[str, Store]) -> None:
        """``stores`` in the order of precedence, by name: "user", "machine". Does no I/O."""
        self._environment = environment
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
        token = None if prefix is None else store.token(prefixes[prefix])
        if prefix is None or token is None:  # None, too, if it was removed between the two reads
            return None
        return Found(
            token=token,
            source=_source(name, store, key=token.key),
            prefix=prefix,
            secret=lambda: self._once(f"{name} {token.key}", lambda: store.secret(token.key)),
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


class Holding(NamedTuple):
    """A token that is there, whatever URL it is for, and where it is from. See ``Found``."""

    token: Token
    source: str
    secret: Callable[[], Secret] | None = None
    """How to get at the secret; None where only the metadata was asked for."""


def holdings(environment: Environment, *, stores: Mapping[str, Store]) -> tuple[Holding, ...]:
    """Every token there is, in the order of precedence. Reads no stored secret.

    Raises:
        StoreError: a store cannot be read.
        MalformedToken: a variable, or the file it names, holds no token.
    """
    supplied_ones = (
        _from_variable(environment, organization=organization_of(name), found=found)
        for name in environment.repository_tokens()
        if (found := environment.repository_token(name))
    )
    stored = (
        Holding(
            token=token,
            source=_source(name, store, key=token.key),
            secret=partial(store.secret, token.key),
        )
        for name, store in stores.items()
        for token in store.tokens()
    )
    given = (Holding(token=f.token, source=f.source, secret=f.secret) for f in supplied_ones)
    return (*given, *stored)


def supplied(environment: Environment, *, organization: str) -> Found | None:
    """The token that the environment supplies for ``organization`` ("" for none in particular).

    Raises:
        MalformedToken: a variable, or the file it names, holds no token.
        StoreUnusable: the file that a variable names cannot be read.
    """
    for owner in dict.fromkeys((organization, "")):
        found = environment.repository_token(token_variable(owner))
        if found is not None:
            return _from_variable(environment, organization=owner, found=found)
    return None


def _from_variable(
    environment: Environment, *, organization: str, found: tuple[str, Secret]
) -> Found:
    source, secret = found
    repository = environment.repo_url
    prefix = organization_prefix(repository, organization) if organization else repository[:-1]
    token = Token(
        organization=organization or "(any)",
        kind=Kind.UNKNOWN,
        scope=(prefix,),
        last_four=secret.last_four,
    )
    return Found(token=token, source=source, prefix=prefix, secret=lambda: secret)


def _source(name: str, store: Store, *, key: str) -> str:
    return store.vault_of(key) if name == USER else name


def stores_of(environment: Environment) -> dict[str, Store]:
    """The stores that are asked, in the order of precedence. Does no I/O."""
    from conda_token_plugin.store import machine_store, user_store

    return {USER: user_store(environment), MACHINE: machine_store(environment)}


def resolver(environment: Environment) -> Lookup:
    """The resolver of a process."""
    return Lookup(environment, stores=stores_of(environment))

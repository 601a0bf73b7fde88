"""Obtaining a token: issue, keep, configure, prove; a transaction with one way through it.

Nothing is asked of the service before the store and the drop-in are known to be writable,
because an issue cannot be taken back: it kills the token before it.
The token is stored before it is proven or spoken of. A kill after the issue and before the store
has it leaves a note by which the next command says what happened (``pending``).
"""

from __future__ import annotations

from contextlib import contextmanager
from signal import SIGINT, signal
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.errors.store import IssueLost, StoreError
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.integrations.conda.caches import forget
from conda_token_plugin.operations.issue_journal import noted
from conda_token_plugin.service.refusals import explained
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.scope import organization_prefix, shared_prefixes
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from pathlib import Path

    from conda_token_plugin.service.client import Service
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret


class CondaOptions(NamedTuple):
    """What the user wants configured beside the token."""

    channels: tuple[str, ...] | None = None
    """None: those of the token before."""
    default_channels: tuple[str, ...] | None = None
    """None: those of the token before."""
    shared: bool | None = None
    """Whether the token opens main, r and msys2; None: if no other stored token does."""

    def applied(self, token: Token, *, before: Token | None) -> Token:
        """``token`` with what is wished for, or else with what ``before`` had."""
        channels, defaults = self.channels, self.default_channels
        if before is not None:
            channels = before.channels if channels is None else channels
            defaults = before.default_channels if defaults is None else defaults
        return token._replace(channels=channels or (), default_channels=defaults or ())


class Issued(NamedTuple):
    """What came of an issue: the token's metadata, its secret, and the vault it is kept in."""

    token: Token
    secret: Secret
    vault: str


class Desk(NamedTuple):
    """Where tokens are issued and kept: a service, a store, and the environment of both."""

    service: Service
    store: Store
    settings: Settings
    now: datetime

    def issue(self, organization: str, *, wish: CondaOptions) -> Issued:
        """Issue a token for ``organization`` and keep it.

        Raises:
            StoreError, ConfigurationError: before anything was issued.
            OrganizationError, LoginError, ServiceError: nothing was issued.
            IssueLost: it was issued, and could not be stored.
        """
        scope = scope_of(organization, store=self.store, settings=self.settings, shared=wish.shared)
        self.store.prove_writable()
        dropin.prove_writable(self.settings.condarc)
        with uninterrupted(), noted(self.store.folder, organization=organization, now=self.now):
            with explained(self.service, now=self.now):
                fresh = self.service.issue(organization)
            token = Token(
                organization=organization,
                kind=TokenKind.INDIVIDUAL,
                scope=scope,
                last_four=fresh.secret.last_four,
                issued=self.now,
                expires=fresh.expires,
                checked=self.now,
            )
            token = wish.applied(token, before=self.store.token(token.key))
            vault = self._kept(token, secret=fresh.secret)
        return Issued(token=token, secret=fresh.secret, vault=vault)

    def _kept(self, token: Token, *, secret: Secret) -> str:
        try:
            return keep(token, secret=secret, store=self.store, at=self.settings.condarc)
        except StoreError as error:  # full since a moment ago, or a keyring that was locked
            if self._has(token):
                raise
            raise IssueLost(token.organization, cause=error) from None
        except ConfigurationError as error:  # the token is stored: another would be without need
            command = f"conda token install --org {token.organization} --if-missing"
            raise error.hinting(f"The token is stored; then run: {command}") from None

    def _has(self, token: Token) -> bool:
        try:
            return self.store.token(token.key) == token
        except StoreError:  # what it cannot read it does not have
            return False


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a Ctrl-C wait until the block is done: what is issued must be stored."""
    if current_thread() is not main_thread():  # only the main thread gets signals
        yield
        return
    pressed: list[int] = []
    before = signal(SIGINT, lambda number, _frame: pressed.append(number))
    try:
        yield
    finally:
        signal(SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def keep(token: Token, *, secret: Secret, store: Store, at: Path) -> str:
    """Store ``token``, take its prefixes from other tokens, and bring the drop-in ``at`` in line.

    What conda remembers of the token's channels is from before it, and is forgotten.

    Returns:
        The vault that the secret went to.
    """
    vault = store.add(token, secret)
    narrowed = _without(token.scope, others=store.tokens(), owner=token.key)
    store.update(*narrowed)
    for other in narrowed:
        if other.organization == token.organization and not other.scope:  # it was replaced
            store.remove(other.key)
    dropin.write(at, tokens=store.tokens())
    forget(token.scope, settings=Settings(), channels=token.channels)
    return vault


def reason_to_issue(held: Token | None, *, now: datetime, within: timedelta | None) -> str:
    """Why a script that wants a working token has to have one issued; "" where it has one.

    ``within``: how long the one that is held has to be good for, where that matters.
    """
    if held is None:
        return "none is stored"
    state = held.state(now=now)
    if not state.usable:
        return f"the stored one is {state.value}"
    left = held.left(now=now)
    if within is not None and left is not None and left <= within:
        return f"the stored one has {left.days} days left"
    return ""


def scope_of(
    organization: str, *, store: Store, settings: Settings, shared: bool | None
) -> tuple[str, ...]:
    """The organization's part of the repository, and the shared channels where they are its.

    A shared channel belongs to one stored token at a time, so that it is always clear
    which token is sent there: the first that was stored, or the last that asked for it.
    """
    own = organization_prefix(settings.repo_url, organization)
    common = shared_prefixes(settings.repo_url)
    others = (token for token in store.tokens() if token.organization != organization)
    taken = {prefix for token in others for prefix in token.scope}
    if shared is None:
        shared = not taken.intersection(common)
    return (own, *common) if shared else (own,)


def _without(prefixes: tuple[str, ...], *, others: tuple[Token, ...], owner: str) -> list[Token]:
    return [
        token.without(prefixes)
        for token in others
        if token.key != owner and set(token.scope).intersection(prefixes)
    ]


def provable(token: Token, *, settings: Settings) -> tuple[str, ...]:
    """Where a token can be tried: its channels, its scope, and where any valid one is taken.

    The shared channels are tried with an organization's token also if they are in the scope
    of another one: they open to every organization's token. Not with one that was given for
    a channel of the organization's: there it has to be tried, and nowhere else.
    """
    repository = settings.repo_url.rstrip("/")
    own = token.channels or token.scope
    if any(repository in {prefix, prefix.rpartition("/")[0]} for prefix in token.scope):
        return (*own, *shared_prefixes(settings.repo_url))
    return own

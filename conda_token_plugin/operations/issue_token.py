"""Issue a token and store it: one transaction.

In this order: prove that the store and the drop-in can be written, take the store's lock, write
a journal entry, request the token, store it, write the drop-in, refresh exported copies, verify.
The request cannot be undone: it revokes the token before it. So everything that can fail is
tried first, and the token is stored before it is verified or reported.
"""

from __future__ import annotations

from contextlib import contextmanager
from signal import SIGINT, signal
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.errors.outcome import Interrupted
from conda_token_plugin.errors.service import NoChannel, ServiceError
from conda_token_plugin.errors.store import IssueLost, StoreError
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.integrations.conda.caches import forget
from conda_token_plugin.operations.exported_copies import refresh_exports
from conda_token_plugin.operations.issue_journal import recorded
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.service.refusals import explained
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.scope import organization_prefix, shared_prefixes
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from conda_token_plugin.operations.issue_policy import IssuePlan
    from conda_token_plugin.operations.verify_token import Verification
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret


class CondaOptions(NamedTuple):
    """What the user wants conda to be configured with, besides the token."""

    channels: tuple[str, ...] | None = None
    """Channels to add. None: those of the token before."""
    default_channels: tuple[str, ...] | None = None
    """None: those of the token before."""
    shared: bool | None = None
    """Whether the token is sent to main, r and msys2. None: if no other stored token is."""
    add_defaults: bool | None = None
    """Whether to add ``defaults`` to conda's channels. None: leave that as it is."""

    def applied(self, token: Token, *, before: Token | None) -> Token:
        """Return ``token`` with these options, or with those of ``before`` where unset."""
        channels, defaults = self.channels, self.default_channels
        if before is not None:
            channels = before.channels if channels is None else channels
            defaults = before.default_channels if defaults is None else defaults
        return token._replace(channels=channels or (), default_channels=defaults or ())


class StoredToken(NamedTuple):
    """A token that was stored, and what was done about it besides."""

    token: Token
    vault: str
    """Where the secret was stored: "file" or "keyring"."""
    verification: Verification | None = None
    fault: ServiceError | None = None
    """Why the token could not be verified."""
    stale: tuple[str, ...] = ()
    """Exported copies that still contain the token before, each with the reason."""


def issue(  # noqa: PLR0913  # everything that the transaction reads or writes
    plan: IssuePlan,
    *,
    wish: CondaOptions,
    service: Service,
    store: Store,
    settings: Settings,
    now: datetime,
) -> StoredToken:
    """Issue the token of ``plan`` and store it.

    Args:
        plan: What was decided. The user has agreed to it if it needs confirmation.
        wish: What conda is configured with.
        service: Issues the token.
        store: Receives the token.
        settings: Where the drop-in, the repository and the exported copies are.
        now: Current time, aware, UTC.

    Raises:
        StoreError, ConfigurationError: Nothing was issued; or the error says that the token is
            stored and the drop-in is not.
        OrganizationError, LoginError, ServiceError: Nothing was issued.
        IssueLost: The token was issued and could not be stored.
        Interrupted: Ctrl-C. It says whether the token is stored.
    """
    organization = plan.organization
    scope = scope_of(organization, store=store, settings=settings, shared=wish.shared)
    store.prove_writable()
    dropin.prove_writable(settings.condarc)
    stored: list[StoredToken] = []
    try:
        with (
            delayed_interrupt(),
            store.exclusive(),
            recorded(store.folder, organization=organization, now=now),
        ):
            token = Token(
                organization=organization,
                kind=TokenKind.INDIVIDUAL,
                scope=scope,
                issued=now,
                checked=now,
            )
            token = wish.applied(token, before=store.token(token.key))
            with explained(service, now=now):
                fresh = service.issue(organization)
            token = token._replace(last_four=fresh.secret.last_four, expires=fresh.expires)
            vault = _stored(token, secret=fresh.secret, store=store, settings=settings, wish=wish)
            stored.append(StoredToken(token, vault))
            stale = refreshed(token, secret=fresh.secret, settings=settings)
    except KeyboardInterrupt:
        raise _interrupted(organization, stored=bool(stored)) from None
    return checked(
        stored[0]._replace(stale=stale),
        secret=fresh.secret,
        store=store,
        settings=settings,
        now=now,
    )


def checked(
    stored: StoredToken, *, secret: Secret, store: Store, settings: Settings, now: datetime
) -> StoredToken:
    """Verify a token that is stored, and store when it was verified."""
    where = places(stored.token, settings=settings)
    try:
        found = verify(where, token=stored.token, secret=secret)
    except NoChannel:
        return stored
    except ServiceError as error:  # refused, no answer, or not a channel
        return stored._replace(fault=error)
    if not found.verified:
        return stored._replace(verification=found)
    token = stored.token._replace(verified=now)
    store.update(token)
    return stored._replace(token=token, verification=found)


def refreshed(token: Token, *, secret: Secret, settings: Settings) -> tuple[str, ...]:
    """Write the token into the files that the one before was exported to.

    Returns:
        The files that could not be written, each with the reason.
    """
    try:
        results = refresh_exports(token, secret, settings=settings)
    except StoreError as error:  # the record of exports
        return (str(error),)
    return tuple(f"{one.record.place}: {one.reason}" for one in results if one.failed)


def store_token(
    token: Token, *, secret: Secret, store: Store, at: Path, defaults: bool | None = None
) -> str:
    """Store ``token``, and write the drop-in ``at`` from the state that was stored.

    Prefixes in the scope of ``token`` are removed from the scope of other tokens. What conda has
    cached for the channels of ``token`` was downloaded with another token, and is cleared.

    Args:
        token: The metadata of the token.
        secret: The token itself.
        store: Receives the token.
        at: The drop-in that belongs to ``store``.
        defaults: Whether the drop-in adds ``defaults`` to conda's channels. None: as it does now.

    Returns:
        The vault that the secret was stored in.
    """
    with store.exclusive():
        vault = store.add(token, secret)
        narrowed = _without(token.scope, others=store.tokens(), owner=token.key)
        store.update(*narrowed)
        for other in narrowed:
            if other.organization == token.organization and not other.scope:  # it was replaced
                store.remove(other.key)
        update_dropin(at, store=store, defaults=defaults)
    forget(token.scope, settings=Settings(), channels=token.channels)
    return vault


@contextmanager
def delayed_interrupt() -> Iterator[None]:
    """Delay the first Ctrl-C until the block is done, because an issued token must be stored.

    A second one ends the block at once, so that a server that sends its answer byte by byte
    cannot hold the user. The journal entry then remains for the next command.
    """
    if current_thread() is not main_thread():  # only the main thread receives signals
        yield
        return
    pressed: list[int] = []

    def interrupt(number: int, _frame: object) -> None:
        pressed.append(number)
        if len(pressed) > 1:
            raise KeyboardInterrupt

    before = signal(SIGINT, interrupt)
    try:
        yield
    finally:
        signal(SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def scope_of(
    organization: str, *, store: Store, settings: Settings, shared: bool | None
) -> tuple[str, ...]:
    """Return the prefixes that a token of ``organization`` is sent to.

    These are the organization's part of the repository, and the shared channels unless they are
    in the scope of another stored token. A shared channel is in the scope of one token at a time,
    so that it is always clear which token is sent there.

    Args:
        organization: The name of the organization.
        store: Where the other tokens are.
        settings: The address of the repository.
        shared: Whether to take the shared channels; None to take them if no other token has them.
    """
    own = organization_prefix(settings.repo_url, organization)
    common = shared_prefixes(settings.repo_url)
    others = (token for token in store.tokens() if token.organization != organization)
    taken = {prefix for token in others for prefix in token.scope}
    if shared is None:
        shared = not taken.intersection(common)
    return (own, *common) if shared else (own,)


def _stored(
    token: Token, *, secret: Secret, store: Store, settings: Settings, wish: CondaOptions
) -> str:
    at, defaults = settings.condarc, wish.add_defaults
    try:
        return store_token(token, secret=secret, store=store, at=at, defaults=defaults)
    except StoreError as error:  # the disk became full, or the keyring was locked meanwhile
        if _has(store, token):
            raise
        raise IssueLost(token.organization, cause=error) from None
    except ConfigurationError as error:  # the token is stored; only the drop-in is not
        command = f"conda token install --org {token.organization} --if-missing"
        raise error.with_hint(f"The token is stored; then run: {command}") from None


def _has(store: Store, token: Token) -> bool:
    try:
        return store.token(token.key) == token
    except StoreError:  # a store that cannot be read is treated as one without the token
        return False


def _interrupted(organization: str, *, stored: bool) -> Interrupted:
    if stored:
        return Interrupted(
            f"Interrupted: the token of {organization} was issued and is stored; "
            "it was not verified."
        )
    return Interrupted(
        f"Interrupted while a token of {organization} was requested: the service may have issued "
        "one and revoked the one before it. "
        f"Run: conda token install --org {organization} --reissue"
    )


def _without(prefixes: tuple[str, ...], *, others: tuple[Token, ...], owner: str) -> list[Token]:
    return [
        token.without(prefixes)
        for token in others
        if token.key != owner and set(token.scope).intersection(prefixes)
    ]

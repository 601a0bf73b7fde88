"""Issue a token and store it: one transaction.

In this order: prove that the store and the drop-in can be written, take the store's lock, write
a journal entry, request the token, store it, write the drop-in, refresh exported copies, verify.
The request cannot be undone: it revokes the previous token. So everything that can fail is
tried first, and the token is stored before it is verified or reported.
"""

from __future__ import annotations

from contextlib import contextmanager
from signal import SIGINT, signal
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.errors.outcome import Interrupted
from conda_token_plugin.errors.service import NoChannel, ServiceError
from conda_token_plugin.errors.store import IssueLost, StoreError
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.issue_journal import recorded
from conda_token_plugin.operations.store_token import (
    StoredToken,
    refreshed,
    scope_of,
    store_token,
)
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.service.refusals import explained
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.gateways.clock import Clock
    from conda_token_plugin.operations.issue_policy import IssuePlan
    from conda_token_plugin.operations.store_token import CondaOptions
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret


def issue(  # noqa: PLR0913  # everything that the transaction reads or writes
    plan: IssuePlan,
    *,
    options: CondaOptions,
    service: Service,
    store: Store,
    settings: Settings,
    clock: Clock,
) -> StoredToken:
    """Issue the token of ``plan`` and store it.

    The user has agreed to ``plan`` if it needs confirmation.

    Raises:
        StoreError, ConfigurationError: Nothing was issued; or the error says that the token is
            stored and the drop-in is not.
        OrganizationError, LoginError, ServiceError: Nothing was issued.
        IssueLost: The token was issued and could not be stored.
        Interrupted: Ctrl-C. It says whether the token is stored.
    """
    organization = plan.organization
    scope = scope_of(organization, store=store, settings=settings, shared=options.shared)
    store.check_writable()
    dropin.check_writable(settings.condarc)
    stored: list[StoredToken] = []
    try:
        with (
            delayed_interrupt(),
            store.exclusive(),
            recorded(store.folder, organization=organization, now=clock.now),
        ):
            token = Token(
                organization=organization,
                kind=TokenKind.INDIVIDUAL,
                scope=scope,
                issued=clock.now,
                checked=clock.now,
            )
            token = options.applied(token, before=store.token(token.key))
            with explained(service, clock=clock):
                fresh = service.issue(organization)
            token = token._replace(last_four=fresh.secret.last_four, expires=fresh.expires)
            vault = _stored(
                token, secret=fresh.secret, store=store, settings=settings, options=options
            )
            stored.append(StoredToken(token, vault))
            stored.append(refreshed(stored[0], secret=fresh.secret, settings=settings))
    except KeyboardInterrupt:
        raise _interrupted(organization, stored=bool(stored)) from None
    return checked(
        stored[-1],
        secret=fresh.secret,
        store=store,
        settings=settings,
        clock=clock,
    )


def checked(
    stored: StoredToken, *, secret: Secret, store: Store, settings: Settings, clock: Clock
) -> StoredToken:
    """Verify a token that is stored, and store when it was verified."""
    where = places(stored.token, settings=settings)
    try:
        found = verify(where, token=stored.token, secret=secret)
    except NoChannel:
        return stored
    except ServiceError as error:  # refused, no response, or not a channel
        return stored._replace(fault=error)
    if not found.verified:
        return stored._replace(verification=found)
    token = stored.token._replace(verified=clock.now)
    store.update(token)
    return stored._replace(token=token, verification=found)


@contextmanager
def delayed_interrupt() -> Iterator[None]:
    """Delay the first Ctrl-C until the block is done, because an issued token must be stored.

    A second one ends the block at once, so that a server that sends its response byte by byte
    cannot block the command. The journal entry then remains for the next command.
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


def _stored(
    token: Token, *, secret: Secret, store: Store, settings: Settings, options: CondaOptions
) -> str:
    at, defaults = settings.condarc, options.add_defaults
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
        "one and revoked the previous one. "
        f"Run: conda token install --org {organization} --reissue"
    )

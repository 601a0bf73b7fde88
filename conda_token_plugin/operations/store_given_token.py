"""Store a token that the user was given: a site token, or one of another server.

The token is verified before it is stored, because it replaces nothing at the service: a token
that does not work is not stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput, Supplied
from conda_token_plugin.errors.service import TokenRefused
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.store_token import (
    StoredToken,
    refreshed,
    scope_of,
    store_token,
)
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.store.sources import supplied
from conda_token_plugin.tokens.scope import (
    longest_prefix,
    normalised,
    path_before_token,
    without_credentials,
)
from conda_token_plugin.tokens.secret import Password
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from conda_token_plugin.operations.store_token import CondaOptions
    from conda_token_plugin.operations.verify_token import Verification
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret

NOT_STORED = "It was not stored."


def described(
    organization: str,
    *,
    channels: Sequence[str],
    scheme: AuthScheme,
    username: str,
    expires: datetime | None,
) -> Token:
    """Return the metadata of a token as the user gives them.

    Args:
        organization: The organization; "" for the host of the first channel.
        channels: URLs that the token is sent to. Without any, `scoped` adds those of the
            organization.
        scheme: How the token is sent.
        username: Sent with a password; only for ``AuthScheme.BASIC``.
        expires: When the token expires, if the user knows it.

    Raises:
        BadInput: The facts exclude each other, or conda could not read one of the channels.
    """
    if username and scheme is not AuthScheme.BASIC:
        raise BadInput("--username is only valid with --send-as basic.")
    fault = Password.fault_of(username) if username else ""
    if fault or ":" in username:  # RFC 7617, section 2
        raise BadInput(
            f"That is not a user name: {fault or 'it contains a colon, which would end it'}.",
            hint="Check --username.",
        )
    before = {path_before_token(url) for url in channels}
    if len(before) > 1:
        raise BadInput(
            "The channels expect the token at different places of their paths.",
            hint="Store the token for each channel on its own, with --org NAME.",
        )
    scope = tuple(normalised(without_credentials(url)) for url in channels)
    for url in scope:
        dropin.refuse_unreadable(url)
    return Token(
        organization=organization or scope[0].partition("://")[2].partition("/")[0],
        kind=TokenKind.SITE,
        scope=scope,
        scheme=scheme,
        username=username,
        path_before="".join(before) if scheme is AuthScheme.PATH else "",
        issued=None,
        expires=expires,
    )


def scoped(token: Token, *, store: Store, settings: Settings, shared: bool | None) -> Token:
    """Return ``token`` with its organization's channels as its scope, unless it has a scope.

    ``shared``: whether it is sent to main, r and msys2. None: if no other stored token is.
    """
    if token.scope:
        return token
    scope = scope_of(token.organization, store=store, settings=settings, shared=shared)
    return token._replace(scope=scope)


def refuse_supplied(organization: str, *, secret: Secret, settings: Settings) -> None:
    """Refuse a token that would not be used, because the environment supplies another one.

    The same token may be stored, so that the variable can be removed.

    Raises:
        Supplied: The environment supplies another token for ``organization``.
    """
    found = supplied(settings, organization=organization)
    if found is not None and found.secret() != secret:
        raise Supplied(organization, source=found.source)


def verify_given(
    token: Token, *, secret: Secret, store: Store, settings: Settings, condarc: Path
) -> Verification:
    """Check that ``token`` can be stored and that it works.

    Raises:
        TokenRefused, NoChannel, ServiceError: The token could not be verified.
        StoreError, ConfigurationError: The store or the drop-in cannot be written.
    """
    store.check_writable()
    dropin.check_writable(condarc)
    where = places(token, settings=settings)
    try:
        return verify(where, token=token, secret=secret, outcome=NOT_STORED)
    except TokenRefused as error:
        # A token that is not stored has no status. What follows in the hint stays.
        check = f"Check that the token is one of {token.organization} and was not revoked."
        error.hint = error.hint.replace("Run: conda token status", check)
        raise


def store_given(  # noqa: PLR0913  # everything that the transaction reads or writes
    token: Token,
    *,
    secret: Secret,
    store: Store,
    settings: Settings,
    condarc: Path,
    now: datetime,
    verification: Verification | None,
    group: str | None = None,
    defaults: bool | None = None,
) -> StoredToken:
    """Store ``token``, write the drop-in and refresh exported copies.

    ``verification`` is None if the token was not verified. ``group`` may read the store of the
    machine. ``defaults``: whether to add ``defaults`` to conda's channels; None leaves that as
    it is.

    Raises:
        BadInput: There is no such group.
        StoreError, ConfigurationError: The store or the drop-in cannot be written.
    """
    store.check_writable()
    dropin.check_writable(condarc)
    if verification is not None and verification.verified:
        token = token._replace(verified=now)
    if group:
        store.share(group)
    vault = store_token(token, secret=secret, store=store, at=condarc, defaults=defaults)
    stored = StoredToken(token, vault, verification)
    return refreshed(stored, secret=secret, settings=settings)


def configure_supplied(
    token: Token, *, options: CondaOptions, store: Store, condarc: Path
) -> Token:
    """Configure conda's channels for ``token``, which a variable supplies. Store no secret.

    The store keeps the channels for the next drop-in.

    Returns:
        The token with the channels.

    Raises:
        BadInput: The token does not cover a channel. Nothing was changed.
        StoreError, ConfigurationError: The store or the drop-in cannot be written.
    """
    token = token._replace(
        channels=options.channels or (), default_channels=options.default_channels or ()
    )
    for url in (*token.channels, *token.default_channels):
        if longest_prefix(f"{url}/", among=token.scope) is None:
            raise BadInput(
                f"The token of {token.organization} does not cover {url}.",
                hint="Set ANACONDA_REPO_TOKEN: it is for the whole repository.",
            )
    dropin.check_writable(condarc)
    store.configure(token)
    update_dropin(condarc, store=store, defaults=options.add_defaults)
    return token

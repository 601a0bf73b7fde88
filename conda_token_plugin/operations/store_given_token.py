"""Store a token that the user was given: a site token, or one of another server.

The token is verified before it is stored, because it replaces nothing at the service: a token
that does not work is not stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.issue_token import StoredToken, refreshed, store_token
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.tokens.scope import longest_prefix

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from conda_token_plugin.operations.issue_token import CondaOptions
    from conda_token_plugin.operations.verify_token import Verification
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

NOT_STORED = "It was not stored."


def verify_given(
    token: Token, *, secret: Secret, store: Store, settings: Settings, condarc: Path
) -> Verification:
    """Check that ``token`` can be stored and that it works.

    Raises:
        TokenRefused, NoChannel, ServiceError: The token could not be verified.
        StoreError, ConfigurationError: The store or the drop-in cannot be written.
    """
    store.prove_writable()
    dropin.prove_writable(condarc)
    where = places(token, settings=settings)
    return verify(where, token=token, secret=secret, outcome=NOT_STORED)


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
) -> StoredToken:
    """Store ``token``, write the drop-in and refresh exported copies.

    Args:
        token: The metadata of the token.
        secret: The token itself.
        store: Receives the token.
        settings: Where the repository and the exported copies are.
        condarc: The drop-in that belongs to ``store``.
        now: Current time, aware, UTC.
        verification: The result of ``verify_given``. None if the token was not verified.
        group: The group that may read the store of the machine.

    Raises:
        BadInput: There is no such group.
        StoreError, ConfigurationError: The store or the drop-in cannot be written.
    """
    store.prove_writable()
    dropin.prove_writable(condarc)
    if verification is not None and verification.verified:
        token = token._replace(proven=now)
    if group:
        store.share(group)
    vault = store_token(token, secret=secret, store=store, at=condarc)
    stale = refreshed(token, secret=secret, settings=settings)
    return StoredToken(token, vault, verification, stale=stale)


def configure_supplied(
    token: Token, *, options: CondaOptions, store: Store, condarc: Path
) -> Token:
    """Configure conda's channels for ``token``, which a variable supplies. Store no secret.

    Args:
        token: The metadata of the token.
        options: The channels.
        store: The user's store, which remembers the channels for the next drop-in.
        condarc: The drop-in.

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
    dropin.prove_writable(condarc)
    store.configure(token)
    update_dropin(condarc, store=store)
    return token

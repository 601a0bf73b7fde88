"""Store a token: in the store, in the drop-in, and in the copies that were exported.

A prefix is in the scope of one token at a time, so that it is always clear which token is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.store import StoreError
from conda_token_plugin.integrations.conda.caches import forget
from conda_token_plugin.operations.exported_copies import refresh_exports
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.repository_layout import organization_prefix, shared_prefixes

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.errors.service import ServiceError
    from conda_token_plugin.operations.export_record import ExportResult
    from conda_token_plugin.operations.verify_token import Verification
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token


class CondaOptions(NamedTuple):
    """How to configure conda for the token."""

    channels: tuple[str, ...] | None = None
    """Channels to add. None: those of the previous token."""
    default_channels: tuple[str, ...] | None = None
    """None: those of the previous token."""
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
    """A token that was stored, and the result of the steps after that."""

    token: Token
    vault: str
    """Where the secret was stored: "file" or "keyring"."""
    verification: Verification | None = None
    fault: ServiceError | None = None
    """Why the token could not be verified."""
    copies: tuple[ExportResult, ...] = ()
    """The results for exported copies of the previous token."""
    copies_fault: StoreError | None = None
    """Why the exported copies are not known."""


def scope_of(
    organization: str, *, store: Store, settings: Settings, shared: bool | None
) -> tuple[str, ...]:
    """Return the prefixes that a token of ``organization`` is sent to.

    These are the organization's part of the repository, and the shared channels unless they are
    in the scope of another stored token.

    ``shared``: whether to take the shared channels; None takes them if no other token has them.
    """
    own = organization_prefix(settings.repo_url, organization)
    common = shared_prefixes(settings.repo_url)
    others = (token for token in store.tokens() if token.organization != organization)
    taken = {prefix for token in others for prefix in token.scope}
    if shared is None:
        shared = not taken.intersection(common)
    return (own, *common) if shared else (own,)


def store_token(
    token: Token, *, secret: Secret, store: Store, at: Path, defaults: bool | None = None
) -> str:
    """Store ``token``, and write the drop-in ``at`` from the state that was stored.

    Prefixes in the scope of ``token`` are removed from the scope of other tokens. What conda has
    cached for the channels of ``token`` was downloaded with another token, and is cleared.

    ``defaults``: whether the drop-in adds ``defaults`` to conda's channels; None leaves that as
    it is.

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


def refreshed(stored: StoredToken, *, secret: Secret, settings: Settings) -> StoredToken:
    """Write the token into the files that the previous token was exported to."""
    try:
        copies = refresh_exports(stored.token, secret, settings=settings)
    except StoreError as error:  # the record of exports
        return stored._replace(copies_fault=error)
    return stored._replace(copies=tuple(copies))


def _without(prefixes: tuple[str, ...], *, others: tuple[Token, ...], owner: str) -> list[Token]:
    return [
        token.without(prefixes)
        for token in others
        if token.key != owner and set(token.scope).intersection(prefixes)
    ]

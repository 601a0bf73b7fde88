"""Every token there is, whatever URL it is for; for commands, a request asks ``lookup``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.settings import organization_of
from conda_token_plugin.store.lookup import USER, from_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token


class Holding(NamedTuple):
    """A token that is there, and where it is from."""

    token: Token
    source: str
    """As of a ``lookup.Found``."""
    secret: Callable[[], Secret] | None = None
    """How to get at the secret; None where only the metadata was asked for."""


def holdings(settings: Settings, *, stores: Mapping[str, Store]) -> tuple[Holding, ...]:
    """Every token, in the order of precedence. Reads no stored secret.

    Raises:
        StoreError: a store cannot be read.
        MalformedToken: a variable, or the file it names, holds no token.
    """
    supplied = (
        from_variable(settings, organization=organization_of(name), found=found)
        for name in settings.repository_tokens()
        if (found := settings.repository_token(name))
    )
    stored = (
        Holding(
            token=token,
            source=store.vault_of(token.key) if name == USER else name,
            secret=partial(store.secret, token.key),
        )
        for name, store in stores.items()
        for token in store.tokens()
    )
    given = (Holding(token=one.token, source=one.source, secret=one.secret) for one in supplied)
    return (*given, *stored)

"""Add, remove and find providers: in the store, in the drop-in, and in conda's caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.integrations.conda.caches import forget
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.tokens.scope import longest_prefix

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.provider import Provider
    from conda_token_plugin.tokens.token import Token


def add_provider(provider: Provider, *, store: Store, settings: Settings, condarc: Path) -> None:
    """Store ``provider``, and have conda ask this plugin about its scope.

    conda's cached indexes below the scope are deleted, because they may say that the channel
    refused a request.

    The command is not run. ``condarc`` is the drop-in that belongs to ``store``.

    Raises:
        BadInput: The store has a provider of the same name or scope.
        StoreError, ConfigurationError: The store or the drop-in cannot be written.
    """
    dropin.check_writable(condarc)
    with store.exclusive():
        for other in store.providers():
            if provider.name == other.name or provider.scope == other.scope:
                raise BadInput(
                    f"There is already the provider {other.name} for {other.scope}.",
                    hint=f"To replace it, run first: conda token provider remove {other.name}",
                )
        store.add_provider(provider)
        update_dropin(condarc, store=store)
    forget((provider.scope,), settings=settings)


def remove_provider(name: str, *, store: Store, settings: Settings, condarc: Path) -> Provider:
    """Forget the provider ``name``, and rewrite the drop-in for the remaining credentials.

    ``condarc`` is the drop-in that belongs to ``store``.

    Returns:
        The removed provider.

    Raises:
        NoToken: The store has no provider of that name.
        StoreError, ConfigurationError: The store or the drop-in cannot be written.
    """
    found = next((one for one in store.providers() if one.name == name), None)
    if found is None:
        raise unknown_provider(name)
    dropin.check_writable(condarc)
    with store.exclusive():
        store.remove_provider(name)
        update_dropin(condarc, store=store)
    forget((found.scope,), settings=settings)
    return found


def preceding(token: Token, *, store: Store) -> tuple[Provider, ...]:
    """Return the providers that are asked in place of ``token``, for a part of its scope or all.

    The providers of a store have precedence over its tokens.

    Raises:
        StoreError: The store cannot be read.
    """
    return tuple(
        provider
        for provider in store.providers()
        if longest_prefix(provider.scope, among=token.scope)
        or any(longest_prefix(prefix, among=(provider.scope,)) for prefix in token.scope)
    )


def unknown_provider(word: str) -> NoToken:
    """Return the error for a name or URL that no provider has."""
    return NoToken(f"There is no provider {word!r}.", hint="Run: conda token provider list")

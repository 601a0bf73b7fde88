"""Which tokens there are to hand out: by the same resolver that requests are answered from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.integrations.target import Grant
from conda_token_plugin.store.lookup import Lookup, holdings
from conda_token_plugin.tokens.scope import organization_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.store.held_token import HeldToken


def found_for(
    organizations: Sequence[str], *, settings: Settings, stores: Mapping[str, Store]
) -> tuple[HeldToken, ...]:
    """The tokens of ``organizations``, or all there are; each once. Reads no stored secret.

    Raises:
        NoToken: one of the organizations has none, or there is none at all.
        StoreError: a store cannot be read. MalformedToken: a variable holds no token.
    """
    homes = {
        item.token.scope[0]: item.token.organization
        for item in holdings(settings, stores=stores)
        if item.token.scope
    }
    if not (organizations or homes):
        raise NoToken("No token is stored.", hint="Run: conda token install")
    wanted = _named(organizations, homes, settings=settings) if organizations else homes
    lookup = Lookup(settings, stores=stores)
    found = {one.token.key: one for home in wanted if (one := lookup.find(f"{home}/"))}
    return tuple(found.values())


def granted(found: HeldToken) -> Grant:
    """``found`` with its secret.

    Raises:
        StoreError: the secret cannot be read.
    """
    return Grant(token=found.token, secret=found.secret())


def _named(
    organizations: Sequence[str], homes: Mapping[str, str], *, settings: Settings
) -> Iterator[str]:
    """The homes of the organizations' tokens; a general token may serve one without its own."""
    for name in organizations:
        own = [home for home, owner in homes.items() if owner == name]
        general = settings.repo_url.rstrip("/") in homes
        if not (own or general):
            raise NoToken.for_organization(name, known=set(homes.values()))
        yield from own or [organization_prefix(settings.repo_url, name)]

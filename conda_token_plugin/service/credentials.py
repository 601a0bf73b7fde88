"""Find the API key for the chosen site.

In this order; a key that has expired by the local clock is used only if there is no other one,
because that clock may be wrong:

1. ``ANACONDA_AUTH_API_KEY``, the file that ``ANACONDA_AUTH_API_KEY_FILE`` names, or
   ``/run/secrets/anaconda_auth_api_key``: no other key is used then
2. our own login (``conda token login``), from the store
3. anaconda-auth's login for the site's domain: its file, then the system keyring
   (``integrations.anaconda_auth``)
4. the site's ``api_key`` in ``~/.anaconda/config.toml``

A key is sent only to the site that it belongs to. The first kind belongs to the site that applies
when none is named (``Settings.default_site``), because anaconda-auth uses the same variable.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from conda_token_plugin.errors.login import NotLoggedIn
from conda_token_plugin.integrations.anaconda_auth import AnacondaLogins, domains_of
from conda_token_plugin.tokens.api_key import expiry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret


def find_api_key(
    settings: Settings, store: Store, *, notice: Callable[[str], None] = lambda _: None
) -> tuple[Secret, str]:
    """Return the API key for ``settings.site``, and where it was found, for messages.

    ``notice`` is called with a line about a place that cannot be read.

    Raises:
        NotLoggedIn: There is no key for this site.
        MalformedToken, StoreUnusable: The variable or its file contains no key.
        StoreError: Our own store cannot be read.
        BadInput, MalformedURL, ConfigurationError: The site cannot be determined.
    """
    logins = AnacondaLogins(settings, notice=notice)
    now, first = datetime.now(timezone.utc), None
    for found in _candidates(settings, store=store, logins=logins):
        ends = expiry_of(found[0])
        if ends is None or ends > now:
            return found
        first = first or found
    if first is not None:
        return first
    raise NotLoggedIn(
        service=settings.site.service_url,
        elsewhere=logins.domains(),
        unused=_unused(settings),
        settable=_is_default(settings),
    )


def logged_in(
    settings: Settings,
    store: Store,
    *,
    notice: Callable[[str], None],
    timeouts: Timeouts | None = None,
) -> Service:
    """Return the service of ``settings.site`` with the API key that ``find_api_key`` returns.

    Raises:
        NotLoggedIn, and the others: As ``find_api_key``.
    """
    from conda_token_plugin.service.client import Service  # requests: only where it is needed

    api_key, source = find_api_key(settings, store, notice=notice)
    return Service(settings.service_url, api_key=api_key, source=source, timeouts=timeouts)


def key_of_environment(settings: Settings) -> tuple[str, Secret] | None:
    """Return where the environment supplies the API key for ``settings.site``, and the key.

    None without such a key, and if it belongs to another site. It has precedence over any login.

    Raises:
        MalformedToken, StoreUnusable: The variable or its file contains no key.
        BadInput, MalformedURL, ConfigurationError: The site cannot be determined.
    """
    return settings.api_key() if _is_default(settings) else None


def _is_default(settings: Settings) -> bool:
    """Return whether the API key of the environment belongs to the chosen site."""
    return settings.site.service_url == settings.default_site.service_url


def _candidates(
    settings: Settings, *, store: Store, logins: AnacondaLogins
) -> Iterator[tuple[Secret, str]]:
    """Yield every key for the site, in the order above."""
    site = settings.site
    given = key_of_environment(settings)
    if given is not None:
        yield given[1], given[0]
        return
    own = store.login(site.service_url)
    if own is not None:
        yield own, "conda token login"
    domains = domains_of(site.service_url)
    for domain in domains:
        yield from logins.keys(domain)
    if settings.store_choice != "file":  # a user who chose files wants no keyring to be asked
        yield from logins.keyring_keys(domains)
    if site.api_key is not None:
        yield site.api_key, f"the site {site.name} ({site.source})"


def _unused(settings: Settings) -> str:
    """Return a sentence about the environment's key if it belongs to another site."""
    given = None if _is_default(settings) else settings.api_key()
    return f"({given[0]} belongs to {settings.default_site.service_url}.)" if given else ""

"""Which API key to ask the service with, and where it was found.

In this order; what has expired is passed over, and named only when nothing else is there:

1. ``ANACONDA_AUTH_API_KEY``, or the file that ``ANACONDA_AUTH_API_KEY_FILE`` names: taken as it is
2. our own login (``conda token login``), from the store
3. anaconda-auth's login for the service's domain: its file, then the system keyring
   (see ``anaconda_login``); both are only read

A key goes to the service that it was made for and to no other: logins are found by their domain.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.errors.login import LoginRefused, NotLoggedIn
from conda_token_plugin.integrations.anaconda_login import AnacondaLogins
from conda_token_plugin.settings import API_KEY, FORMER_DOMAINS, SERVICE_URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret


def find_api_key(
    settings: Settings,
    store: Store,
    *,
    notice: Callable[[str], None] = lambda _: None,
    clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
) -> tuple[Secret, str]:
    """The API key for the service, and in words for people where it was found.

    ``notice`` is told what was there and could not be read.

    Raises:
        NotLoggedIn: there is none.
        LoginRefused: there are, and all have expired. No request was made.
        MalformedToken, StoreUnusable: the variable or its file holds no key.
        StoreError: our own store cannot be read.
    """
    logins = AnacondaLogins.of(settings, notice=notice)
    expired: list[LoginRefused] = []
    for key, source in _candidates(settings, store=store, logins=logins):
        ends = expiry_of(key)
        if ends is None or ends > clock():
            return key, source
        expired.append(LoginRefused(service=settings.service_url, source=source, expired=ends))
    raise expired[0] if expired else NotLoggedIn(elsewhere=logins.domains())


def _candidates(
    settings: Settings, *, store: Store, logins: AnacondaLogins
) -> Iterator[tuple[Secret, str]]:
    """Every key, in the order of precedence; nothing after the variable when it is set."""
    given = settings.secret(API_KEY)
    if given is not None:
        yield given[1], given[0]
        return
    own = store.login(settings.service_url)
    if own is not None:
        yield own, "conda token login"
    domains = domains_of(settings.service_url)
    for domain in domains:
        yield from logins.keys(domain)
    if settings.store_choice != "file":  # who chooses files wants no keyring asked
        yield from logins.keyring_keys(domains)


def domains_of(service_url: str) -> tuple[str, ...]:
    """The domains under which anaconda-auth knows the service, its present one first."""
    domain = urlsplit(service_url).netloc
    return (domain, *FORMER_DOMAINS) if service_url == SERVICE_URL else (domain,)


def expiry_of(key: Secret) -> datetime | None:
    """When ``key`` expires: the claim ``exp`` of a JSON Web Token (RFC 7519); None without one.

    The signature is the service's to check; a claim that lies costs one refused request.
    """
    parts = key.reveal().split(".")
    try:
        claims = json.loads(urlsafe_b64decode(f"{parts[1]}{'=' * (-len(parts[1]) % 4)}"))
        return datetime.fromtimestamp(claims["exp"], timezone.utc)
    except (LookupError, TypeError, ValueError, OverflowError, OSError, RecursionError):
        # No JWT, no such claim, or a number that is no date: nothing is known.
        return None

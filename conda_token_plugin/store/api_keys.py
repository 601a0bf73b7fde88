"""API keys as credentials for channels, in the order of precedence: environment, login.

A key is sent to the repository of the site that it belongs to and to no other URL: the key of the
environment to that of ``Settings.default_site``, a login to the one that was its site's when the
user logged in.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from conda_token_plugin.store.held_token import HeldToken
from conda_token_plugin.tokens.api_key import channel_credential
from conda_token_plugin.tokens.authorization import BEARER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.store.index import Entry
    from conda_token_plugin.tokens.secret import Secret


def from_environment(settings: Settings, *, source: str) -> HeldToken | None:
    """Return the key of the environment, or None if its site has no channels for it.

    Args:
        settings: The variables of the process.
        source: What ``Settings.api_key_source`` returned.

    Raises:
        BadInput, MalformedURL, ConfigurationError: The default site cannot be determined.
    """
    prefix = settings.default_site.key_prefix
    if prefix is None:
        return None

    @cache
    def secret() -> Secret:
        found = settings.api_key()
        if found is None:  # the file was removed meanwhile
            from conda_token_plugin.errors.store import NoToken

            raise NoToken(f"{source} contains no API key any more.", hint="Set it again.")
        return found[1]

    return HeldToken(
        f"api-key:{source}@{prefix}",
        source=source,
        secret=secret,
        metadata=cache(lambda: channel_credential(secret(), prefix=prefix)),
        prefix=prefix,
        about={"way": BEARER},
    )


def from_logins(store: Store) -> Iterator[HeldToken]:
    """Yield the logins whose key is sent to channels. Read no secret.

    Raises:
        StoreError: The index cannot be read.
    """
    for service, entry in store.channel_logins().items():
        for prefix in entry.metadata["scope"]:
            yield _of_login(store, service=service, entry=entry, prefix=prefix)


def _of_login(store: Store, *, service: str, entry: Entry, prefix: str) -> HeldToken:
    @cache
    def secret() -> Secret:
        found = store.login(service)
        if found is None:  # another process logged out meanwhile
            from conda_token_plugin.errors.store import NoToken

            raise NoToken(f"The login to {service} was removed.", hint="Run: conda token login")
        return found

    return HeldToken(
        f"login:{service}@{prefix}",
        source=f"login to {service}",
        secret=secret,
        metadata=cache(lambda: store.metadata(entry)),
        prefix=prefix,
        about=entry.metadata,
    )

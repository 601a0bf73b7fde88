"""The organizations and channels of a repository, by their URLs. Pure.

An organization's channels are below ``<repository>/<organization>``. Beside them are channels that
belong to no organization, such as ``<repository>/main``.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from conda_token_plugin.tokens.scope import longest_prefix, normalised, prefix_and_fault

SHARED_CHANNELS = ("main", "r", "msys2")
"""Channels that accept the token of any organization
(https://repo.anaconda.cloud/repo/main)."""
ARCHIVE_CHANNELS = ("free", "mro-archive", "pro")
API_KEY_CHANNELS = ("main-x",)
"""Channels that accept an API key only."""
NO_ORGANIZATION = frozenset({*SHARED_CHANNELS, *ARCHIVE_CHANNELS, *API_KEY_CHANNELS})
"""First path segments of the repository that are channels and not organizations."""


def organization_of(url: str, *, repository: str) -> str | None:
    """Return the organization that owns the part of ``repository`` that ``url`` is in.

    Returns:
        None outside of the repository and in channels that belong to no organization.
    """
    base = repository.rstrip("/")
    if longest_prefix(url, among={base}) is None:
        return None
    first = prefix_and_fault(url)[0][len(base) + 1 :].partition("/")[0]
    if not first or first in NO_ORGANIZATION:
        return None
    name = unquote(first)
    return name if name.isprintable() else first


def segment(name: str) -> str:
    """Return the name of an organization or a user as one segment of a URL.

    Raises:
        BadInput: it cannot be the name of an organization.
    """
    from conda_token_plugin.errors import CREDENTIAL_FORMAT
    from conda_token_plugin.errors.input import BadInput

    odd = name in {"", ".", ".."} or "/" in name or not name.isprintable()
    if odd or re.search(CREDENTIAL_FORMAT, name):  # a token would be logged with the URL
        raise BadInput(f"No organization is called {name!r}.", hint="Run: conda token whoami")
    return quote(name)


def organization_prefix(repository: str, organization: str) -> str:
    """Return ``<repository>/<organization>``, the organization's part of the repository.

    Raises:
        BadInput: no organization can have this name.
    """
    return normalised(f"{repository.rstrip('/')}/{segment(organization)}")


def shared_prefixes(repository: str) -> tuple[str, ...]:
    """Return the shared channels of ``repository`` as prefixes."""
    return tuple(normalised(f"{repository.rstrip('/')}/{name}") for name in SHARED_CHANNELS)

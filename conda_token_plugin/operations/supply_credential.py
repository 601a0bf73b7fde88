"""Supply the credential for a URL to another program."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.store import NothingSupplied
from conda_token_plugin.tokens.authorization import header
from conda_token_plugin.tokens.credential_helper import Response
from conda_token_plugin.tokens.display import capitalized, named
from conda_token_plugin.tokens.scope import without_secrets

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.store.lookup import Lookup
    from conda_token_plugin.store.sources import Credential
    from conda_token_plugin.tokens.secret import Secret

SCHEMES = ("https", "http")


def credential_for(url: str, *, lookup: Lookup, now: datetime) -> tuple[Credential, Secret] | None:
    """Return the credential that conda would send to ``url``, and its secret.

    Args:
        url: The URL of a channel or of a file in it. A query and a fragment are ignored.
        lookup: The lookup of this process.
        now: The current time, aware, UTC. A credential that has expired is not returned.

    Returns:
        None if no credential covers the URL. Plain http is covered on this machine only.

    Raises:
        BadInput: The URL is not an http or https URL.
        StoreError, MalformedToken: The credential cannot be read, or its provider failed.
    """
    shown = without_secrets(url)
    try:
        scheme = urlsplit(url).scheme
    except ValueError:  # an IPv6 address without the closing bracket
        scheme = ""
    if scheme not in SCHEMES:
        raise BadInput(
            f"{shown!r} is not an https or http URL, so no credential is known for it.",
            hint="Ask for an https URL, or for http on this machine.",
        )
    # A URL may be that of a channel itself, so it is looked up as a folder.
    folder = f"{url.partition('?')[0].partition('#')[0].rstrip('/')}/"
    credential = lookup.usable(folder, now=now)
    try:
        return None if credential is None else (credential, credential.secret())
    except NothingSupplied:  # the provider says that the URL needs none
        return None


def response_for(url: str, *, lookup: Lookup, now: datetime) -> Response:
    """Return the response of the credential-helper protocol for ``url``.

    Without a credential the response has no header, which means that none is needed.

    Raises:
        BadInput: The URL is not an http or https URL, or the credential is sent in its path.
        StoreError, MalformedToken: As ``credential_for``.
    """
    found = credential_for(url, lookup=lookup, now=now)
    if found is None:
        return Response({})
    credential, secret = found
    value = header(credential.token, secret=secret)
    if value is None:
        raise BadInput(
            f"{capitalized(named(credential.token))} is sent in the path of the URL (--send-as "
            "path), and a credential helper can only return a header.",
            hint="If the server accepts a header, store the token again with --send-as token.",
        )
    expires = (
        credential.supplied_until() if credential.supplied_until else credential.token.usable_until
    )
    return Response({"Authorization": [value]}, expires if expires and expires > now else None)

"""How a token is put into a request: the four ways of ``tokens.Way``. Pure.

``Authorization`` is the only header that is used: it is the one that redirects to another host drop
(``X-API-Key`` and its like are sent on to strangers; run on conda 26.7.1).
``/t/<token>/`` is put into the URL of the request alone, for servers that take nothing else.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from conda_token_plugin.tokens.secret import HeaderValue

if TYPE_CHECKING:
    from typing import Protocol

    from conda_token_plugin.tokens.secret import Secret

    class Sendable(Protocol):
        """What has to be known of a token: a ``tokens.Token`` knows it, and a ``lookup.Found``."""

        @property
        def way(self) -> str:
            """The value of a ``tokens.Way``."""

        @property
        def username(self) -> str:
            """Only for ``BASIC``."""


TOKEN, BEARER, BASIC, PATH = "token", "bearer", "basic", "path"
_SCHEMES = {TOKEN: "token", BEARER: "Bearer"}


def header(token: Sendable, *, secret: Secret) -> HeaderValue | None:
    """The value of ``Authorization``; None where the token goes into the path."""
    way = token.way
    if way == PATH:
        return None
    if way == BASIC:
        pair = f"{token.username}:{secret.reveal()}".encode()
        return HeaderValue(f"Basic {b64encode(pair).decode('ascii')}")
    return HeaderValue(f"{_SCHEMES[way]} {secret.reveal()}")


def address(url: str, *, token: Sendable, secret: Secret) -> str:
    """The URL to request: ``url`` itself, or with ``/t/<token>`` before its path."""
    if token.way != PATH:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/t/{secret.reveal()}{parts.path}"))

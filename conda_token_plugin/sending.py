"""How a token is put into a request: the four ways of ``tokens.Way``. Pure.

``Authorization`` is the only header that is used: it is the one that redirects to another host drop
(``X-API-Key`` and its like are sent on to strangers; run on conda 26.7.1).
``/t/<token>/`` is put into the URL of the request alone, for servers that take nothing else.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from conda_token_plugin.secret import HeaderValue
from conda_token_plugin.tokens import Token, Way

if TYPE_CHECKING:
    from conda_token_plugin.secret import Secret


def header(token: Token, *, secret: Secret) -> HeaderValue | None:
    """The value of ``Authorization``; None where the token goes into the path."""
    if token.way is Way.PATH:
        return None
    if token.way is Way.BASIC:
        pair = f"{token.username}:{secret.reveal()}".encode()
        return HeaderValue(f"Basic {b64encode(pair).decode('ascii')}")
    scheme = "Bearer" if token.way is Way.BEARER else "token"
    return HeaderValue(f"{scheme} {secret.reveal()}")


def address(url: str, *, token: Token, secret: Secret) -> str:
    """The URL to request: ``url`` itself, or with ``/t/<token>`` before its path."""
    if token.way is not Way.PATH:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/t/{secret.reveal()}{parts.path}"))

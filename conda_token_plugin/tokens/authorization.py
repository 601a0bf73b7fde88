"""How a token is put into a request: the schemes of ``AuthScheme``. Pure.

``Authorization`` is the only header that is used, because redirects to another host drop it
(``X-API-Key`` is sent on to the other host; conda 26.7.1).
``/t/<token>/`` is added to the URL on the wire only, for servers that accept nothing else.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from conda_token_plugin.tokens.secret import HIDDEN, HeaderValue, Password, Secret

if TYPE_CHECKING:
    from conda_token_plugin.tokens.token import Token

TOKEN, BEARER, BASIC, PATH, HEADER = "token", "bearer", "basic", "path", "header"
_BEFORE = {TOKEN: "token ", BEARER: "Bearer ", HEADER: ""}
"""What precedes the secret in the header. With ``HEADER`` the secret is the whole header."""
_QUOTED_OR_SCHEME = r'"(?:[^"\\]|\\.)*["\\]?|(?:^|,)[ \t]*(token|bearer|basic)(?=[ \t,]|$)'
"""A quoted text, which may contain commas, or a scheme at the beginning of a challenge. A text
without a final quote reaches to the end, so that the time to search grows with the length only."""

_PERCENT = "%(?:25)*"
_SLASH = f"(?:/|{_PERCENT}2f)"


def secret_type(scheme: str) -> type[Secret]:
    """Return the type of the secret that ``scheme``, a value of ``AuthScheme``, is used with."""
    return Password if scheme == BASIC else Secret


def header(token: Token, *, secret: Secret) -> HeaderValue | None:
    """Return the value of ``Authorization``, or None if the token is sent in the path."""
    scheme = token.scheme
    if scheme == PATH:
        return None
    if scheme == BASIC:
        pair = f"{token.username}:{secret.reveal()}".encode()
        return HeaderValue(f"Basic {b64encode(pair).decode('ascii')}")
    return HeaderValue(f"{_BEFORE[scheme]}{secret.reveal()}")


def address(url: str, *, token: Token, secret: Secret) -> str:
    """Return the URL to request: for a path token, with ``/t/<token>`` in the path.

    It is put after ``token.path_before``, which is empty for most servers. The token is
    percent-encoded as one segment.
    """
    if token.scheme != PATH:
        return url
    return with_segment(url, before=token.path_before, segment=quote(secret.reveal(), safe=""))


def with_segment(url: str, *, before: str, segment: str) -> str:
    """Return ``url`` with ``/t/<segment>`` after the path ``before``, or at its beginning."""
    parts = urlsplit(url)
    at = len(before) if parts.path.startswith(f"{before}/") else 0
    return urlunsplit(parts._replace(path=f"{parts.path[:at]}/t/{segment}{parts.path[at:]}"))


def asked_for(challenge: str) -> tuple[str, ...]:
    """Return the schemes that ``WWW-Authenticate`` names and that a token can be sent in.

    Args:
        challenge: The value of the header, which may name several schemes (RFC 9110, 11.6.1).
    """
    named = re.findall(_QUOTED_OR_SCHEME, challenge, re.IGNORECASE)
    return tuple(dict.fromkeys(name.lower() for name in named if name))


def other_scheme(scheme: str, *, asked: tuple[str, ...]) -> str:
    """Return a sentence about a server that asks for another scheme than ``scheme``, or "".

    Some servers name one scheme and also accept others, so the sentence does not say that the
    scheme is the cause.
    """
    if not asked or scheme in asked:
        return ""
    sent = "in the path" if scheme == PATH else f"as {scheme}"
    return (
        f"The server asks for {' or '.join(asked)}, and the token was sent {sent}: "
        f"if the server accepts nothing else, use --send-as {asked[0]}."
    )


def without_path_token(text: str, *, secret: Secret) -> str:
    """Return ``text``, such as a ``Location``, without the token and without ``/t/`` before it."""
    return without_segment(text, value=secret.reveal())


def without_segment(text: str, *, value: str) -> str:
    """Return ``text`` without the token ``value`` and without ``/t/`` before it.

    Servers repeat the path that was requested, also escaped in a query (``?next=%2Ft%2F…``), and
    some escape it twice.
    """
    return re.sub(f"(?i:{_SLASH}(?:t|{_PERCENT}74){_SLASH}+)?{_any_form(value)}", "", text)


def redacted(text: str, *, secret: Secret) -> str:
    """Return ``text`` with the secret hidden, whichever of its characters are escaped."""
    return re.sub(_any_form(secret.reveal()), HIDDEN, text)


def _any_form(value: str) -> str:
    """Return a pattern of ``value`` in which each character may be percent-encoded, also twice."""
    return "".join(
        f"(?:(?i:{''.join(f'{_PERCENT}{byte:02x}' for byte in character.encode())})"
        f"|{re.escape(character)})"
        for character in value
    )

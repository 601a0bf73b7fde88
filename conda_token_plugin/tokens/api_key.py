"""API keys: when they expire, and their metadata as a credential for channels. Pure."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from conda_token_plugin.tokens.secret import Secret

ALL_ORGANIZATIONS = "(your organizations)"
"""In place of an organization's name: the organizations of the key's user."""


def expiry_of(key: Secret) -> datetime | None:
    """Return when ``key`` expires, or None if it does not say.

    This is the claim ``exp`` of a JSON Web Token (RFC 7519). Only the service can check the
    signature; a wrong claim costs one refused request.
    """
    parts = key.reveal().split(".")
    try:
        claims = json.loads(urlsafe_b64decode(f"{parts[1]}{'=' * (-len(parts[1]) % 4)}"))
        return datetime.fromtimestamp(claims["exp"], timezone.utc)
    except (LookupError, TypeError, ValueError, OverflowError, OSError, RecursionError):
        # Not a JWT, no such claim, or a number that is not a date.
        return None


def channel_credential(key: Secret, *, prefix: str) -> Token:
    """Return the metadata of ``key`` as a credential for the channels below ``prefix``."""
    return Token(
        organization=ALL_ORGANIZATIONS,
        kind=TokenKind.API_KEY,
        scope=(prefix,),
        scheme=AuthScheme.BEARER,
        last_four=key.last_four,
        expires=expiry_of(key),
    )

"""JSON Web Tokens (RFC 7519), signed with HS256: the form of an API key and an access token.

Only encoding: the sandbox keeps its keys in memory and does not decode one. Clients read `exp`
from it; anaconda-auth does, without checking the signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def encode(claims: Mapping[str, Any], *, key: bytes) -> str:
    """Return `claims` as a signed token: three parts of base64url, separated by dots."""
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64url(signature)}"


def _part(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    # RFC 7515, section 2: without the padding.
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

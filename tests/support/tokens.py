"""The one builder of tokens, secrets and their values for tests."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from typing import Any

from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind

NOON = datetime(2030, 1, 1, 12, tzinfo=timezone.utc)
SERVICE = "https://service.example"
REPOSITORY = "https://repo.example/repo"


def token(organization: str = "acme", **facts: Any) -> Token:
    """Return a token with these metadata, by default for the organization's part of REPOSITORY."""
    scope = (f"{REPOSITORY}/{organization}",)
    return Token(
        **{
            "organization": organization,
            "kind": TokenKind.SITE,
            "scope": scope,
            "expires": NOON,
            **facts,
        }
    )


def value(seed: object, *, length: int = 48) -> str:
    """Return letters and digits that depend only on ``seed``."""
    pieces = (hashlib.sha256(f"{seed} {n}".encode()).hexdigest() for n in range(length // 64 + 1))
    return "".join(pieces)[:length]


def secret(seed: object, *, length: int = 48) -> Secret:
    """Return the secret with the value of ``seed``."""
    return Secret(value(seed, length=length))

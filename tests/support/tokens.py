"""The one builder of tokens, secrets and their values for tests."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone

from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind

NOON = datetime(2030, 1, 1, 12, tzinfo=timezone.utc)
SERVICE = "https://service.example"
REPOSITORY = "https://repo.example/repo"


def token(
    organization: str,
    *,
    scope: tuple[str, ...] = (),
    kind: TokenKind = TokenKind.SITE,
    last_four: str = "",
) -> Token:
    """Return a token for ``scope``, by default the organization's part of ``REPOSITORY``."""
    return Token(
        organization=organization,
        kind=kind,
        scope=scope or (f"{REPOSITORY}/{organization}",),
        last_four=last_four,
        expires=NOON,
    )


def value(seed: object, *, length: int = 48) -> str:
    """Return letters and digits that depend only on ``seed``."""
    pieces = (hashlib.sha256(f"{seed} {n}".encode()).hexdigest() for n in range(length // 64 + 1))
    return "".join(pieces)[:length]


def secret(seed: object, *, length: int = 48) -> Secret:
    """Return the secret with the value of ``seed``."""
    return Secret(value(seed, length=length))

"""Every token that was ever issued."""

from __future__ import annotations

import secrets
import string
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from conda_token_plugin.sandbox.world.model import Token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from conda_token_plugin.sandbox.world.model import AccountKind

ALPHABET = string.ascii_letters + string.digits
LENGTH = 48


class Register:
    """The tokens. The rules of their life are in `world` and `model`."""

    def __init__(self) -> None:
        """Start without tokens."""
        self._tokens: dict[UUID, Token] = {}

    def __iter__(self) -> Iterator[Token]:
        """Iterate over a copy, oldest first."""
        return iter(list(self._tokens.values()))

    def get(self, token_id: UUID) -> Token | None:
        """Return the token with this id, also an expired or revoked one."""
        return self._tokens.get(token_id)

    def find(self, value: str) -> Token | None:
        """Return the token with this value, also an expired or revoked one."""
        return next((token for token in self if token.value == value), None)

    def of(self, slug: str, kind: AccountKind, user: str) -> list[Token]:
        """Return all tokens of one kind and owner, oldest first."""
        wanted = (slug, kind, user)
        return [token for token in self if (token.org, token.kind, token.user) == wanted]

    def add(
        self, slug: str, kind: AccountKind, user: str, *, issued: datetime, expires: datetime
    ) -> Token:
        """Make a token with a new id and value."""
        value = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        return self._keep(Token(uuid4(), value, kind, slug, user, issued, expires))

    def extend(self, token: Token, until: datetime, tolerance_months: int | None) -> Token:
        """Set when a token expires, and how long it works after that."""
        return self._keep(replace(token, expires=until, tolerance_months=tolerance_months))

    def revoke(self, token: Token, at: datetime) -> Token:
        """Revoke a token. The time of an earlier revocation is kept."""
        return token if token.revoked else self._keep(replace(token, revoked=at))

    def _keep(self, token: Token) -> Token:
        self._tokens[token.id] = token
        return token

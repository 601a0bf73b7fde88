"""Bearer values of the service: API keys, OAuth access tokens, service-account tokens.

Each kind opens its own doors only: an access token buys an API key and nothing else.
"""

from __future__ import annotations

import secrets
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.world import jwt
from conda_token_plugin.sandbox.world.model import Credential

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.sandbox.world.clock import Clock
    from conda_token_plugin.sandbox.world.model import User

API_KEY_LIFE = timedelta(days=365)
ACCESS_TOKEN_LIFE = timedelta(hours=1)
SERVICE_ACCOUNT_LIFE = timedelta(seconds=900)


class Credentials:
    """Every bearer value that was ever made."""

    def __init__(self, clock: Clock, users: Iterable[User]) -> None:
        """Give each user an API key.

        Args:
            clock: Tells the time for `exp`.
            users: Who has an API key from the start.
        """
        self._clock = clock
        self._lock = threading.Lock()
        self._signing_key = secrets.token_bytes(32)
        self.api_keys: dict[str, Credential] = {}
        self.access_tokens: dict[str, Credential] = {}
        self.service_accounts: dict[str, Credential] = {}
        self.first_keys = {user.name: self.make_api_key(user).value for user in users}

    def make_api_key(self, user: User) -> Credential:
        """Make what a login ends in; at most a year long."""
        return self._make(self.api_keys, user, API_KEY_LIFE)

    def make_access_token(self, user: User) -> Credential:
        """Make what an OAuth flow ends in, to be traded for an API key."""
        return self._make(self.access_tokens, user, ACCESS_TOKEN_LIFE)

    def make_service_account(self, user: User) -> Credential:
        """Make what the admin API takes, with the rights of the admin `user`."""
        return self._make(self.service_accounts, user, SERVICE_ACCOUNT_LIFE)

    def _make(self, kept: dict[str, Credential], user: User, life: timedelta) -> Credential:
        now = self._clock.now()
        claims = {
            "sub": str(user.id),
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
            "jti": secrets.token_hex(16),
        }
        credential = Credential(jwt.encode(claims, key=self._signing_key), user.name, now + life)
        with self._lock:
            kept[credential.value] = credential
        return credential

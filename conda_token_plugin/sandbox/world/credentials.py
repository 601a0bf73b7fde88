"""Bearer values of the service: API keys, OAuth access tokens, service-account tokens.

Each kind is accepted in one place: an access token is traded for an API key, an API key is
accepted by the organization service and the repository, and the token of a service account by the
admin API.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from conda_token_plugin.sandbox.world.model import CHANNEL_SCOPE, Credential, ServiceAccount

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from conda_token_plugin.sandbox.world.clock import Clock
    from conda_token_plugin.sandbox.world.model import User

API_KEY_LIFE = timedelta(days=365)
ACCESS_TOKEN_LIFE = timedelta(hours=1)
SERVICE_ACCOUNT_LIFE = timedelta(seconds=900)
ALL_SCOPES = frozenset({"cloud:read", "cloud:write", CHANNEL_SCOPE})


class Credentials:
    """All bearer values that were made."""

    def __init__(self, clock: Clock, users: Iterable[User]) -> None:
        """Give each user an API key.

        Args:
            clock: `exp` is counted from its time.
            users: The users with an API key from the start.
        """
        self._clock = clock
        self._signing_key = secrets.token_bytes(32)
        self.api_keys: dict[str, Credential] = {}
        self.access_tokens: dict[str, Credential] = {}
        self.service_accounts: dict[str, Credential] = {}
        self.clients: dict[str, ServiceAccount] = {}
        self.first_keys = {user.name: self.make_api_key(user).value for user in users}

    def make_api_key(self, user: User, scopes: Iterable[str] = ALL_SCOPES) -> Credential:
        """Make an API key, as a login does. It is valid for a year.

        Args:
            user: The owner.
            scopes: What the key may be used for. Without `repo:read` no channel accepts it.
        """
        return self._make(self.api_keys, user, API_KEY_LIFE, frozenset(scopes))

    def make_access_token(self, user: User) -> Credential:
        """Make an OAuth access token, which can be traded for an API key."""
        return self._make(self.access_tokens, user, ACCESS_TOKEN_LIFE)

    def make_service_account(self, user: User) -> Credential:
        """Make a bearer token for the admin API, with the rights of the administrator `user`."""
        return self._make(self.service_accounts, user, SERVICE_ACCOUNT_LIFE)

    def register_client(self, user: User) -> ServiceAccount:
        """Make a service account, whose id and secret can be exchanged for such bearer tokens."""
        client = ServiceAccount(secrets.token_hex(16), secrets.token_urlsafe(32), user.name)
        self.clients[client.client_id] = client
        return client

    def _make(
        self,
        kept: dict[str, Credential],
        user: User,
        life: timedelta,
        scopes: frozenset[str] = frozenset(),
    ) -> Credential:
        now = self._clock.now()
        claims = {
            "sub": str(user.id),
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
            "jti": secrets.token_hex(16),
        }
        value = jwt(claims, key=self._signing_key)
        kept[value] = Credential(value, user.name, now + life, scopes)
        return kept[value]


def jwt(claims: Mapping[str, Any], *, key: bytes) -> str:
    """Return `claims` as a JSON Web Token (RFC 7519), signed with HS256.

    Clients read `exp` from it; anaconda-auth does, without checking the signature.
    """
    signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64url(signature)}"


def _part(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    # RFC 7515, section 2: without the padding.
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

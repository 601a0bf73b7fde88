"""The authorization code flow with PKCE (RFC 6749, 7636, 8252), seen from the service.

The user of the browser is logged in already and agrees at once. Without a user, every login is
denied.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from conda_token_plugin.sandbox.http.messages import page, redirect
from conda_token_plugin.sandbox.world.cast import DEFAULT_USER
from conda_token_plugin.sandbox.world.world import Refusal

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.http.messages import Response
    from conda_token_plugin.sandbox.world.clock import Clock

CODE_LIFE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, and the values that must be sent with it."""

    user: str
    client_id: str
    redirect_uri: str
    challenge: str
    expires: datetime


class Browser:
    """The browser in which a login is approved.

    Attributes:
        user: The user who approves every login, or an empty string: every login is denied.
    """

    def __init__(self, clock: Clock) -> None:
        """Start with the default user.

        Args:
            clock: Codes expire by it.
        """
        self.user = DEFAULT_USER
        self._clock = clock
        self._codes: dict[str, Code] = {}

    def send_back(self, asked: dict[str, str]) -> Response:
        """Redirect to the client with a code or an error.

        Args:
            asked: The query of the authorization request, with a known `client_id`.
        """
        back = asked.get("redirect_uri", "")
        if not _is_loopback(back):
            # RFC 6749, section 4.1.2.1: no redirect to an address that is not registered.
            return page("<p>The redirect_uri is not on loopback.</p>", 400)
        result = self._code_or_error(asked) | {"state": asked.get("state", "")}
        return redirect(f"{back}{'&' if '?' in back else '?'}{urlencode(result)}")

    def redeem(self, form: dict[str, str]) -> str:
        """Return the user of an authorization code, which cannot be used again in any case.

        Raises:
            Refusal: `invalid_grant`.
        """
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or code.expires <= self._clock.now():
            raise Refusal("invalid_grant")
        shown = (form.get("client_id"), form.get("redirect_uri"), _s256(form.get("code_verifier")))
        if shown != (code.client_id, code.redirect_uri, code.challenge):
            raise Refusal("invalid_grant")
        return code.user

    def _code_or_error(self, asked: dict[str, str]) -> dict[str, str]:
        if asked.get("response_type") != "code":
            return {"error": "unsupported_response_type"}
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            return {"error": "invalid_request", "error_description": "PKCE with S256 is required"}
        if not self.user:
            return {"error": "access_denied"}
        return {"code": self._make_code(asked)}

    def _make_code(self, asked: dict[str, str]) -> str:
        value = secrets.token_urlsafe(32)
        expires = self._clock.now() + CODE_LIFE
        expected = (asked["client_id"], asked["redirect_uri"], asked["code_challenge"])
        self._codes[value] = Code(self.user, *expected, expires)
        return value


def _is_loopback(address: str) -> bool:
    # RFC 8252, section 7.3: any port.
    try:
        parts = urlsplit(address)
    except ValueError:  # an IPv6 address without the closing bracket
        return False
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def _s256(verifier: str | None) -> str:
    digest = hashlib.sha256((verifier or "").encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

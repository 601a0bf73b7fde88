"""Logging in: OpenID discovery, the OAuth token endpoints, and the exchange for an API key.

The two flows that end in an access token are in `browser` (authorization code with PKCE) and in
`devices` (device flow). An access token is exchanged for an API key at either of two paths. A
service account exchanges its id and secret for a bearer token at `/api/iam/token`, as described at
https://www.anaconda.com/docs/anaconda-platform/admin/org-management-api/org-management-api
(anaconda-auth 0.15.3 has no client for that). Errors are those of the RFCs.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.http.messages import (
    Refused,
    Response,
    Route,
    invalid,
    json_response,
    page,
)
from conda_token_plugin.sandbox.http.refusals import authenticate
from conda_token_plugin.sandbox.service.browser import Browser
from conda_token_plugin.sandbox.service.devices import LIFE, Devices
from conda_token_plugin.sandbox.world.world import Refusal

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.http.messages import Request
    from conda_token_plugin.sandbox.world.model import Credential
    from conda_token_plugin.sandbox.world.world import World

# All clients of Anaconda use it; it is not a secret.
CLIENT_ID = "b4ad7f1d-c784-46b5-a9fe-106e50441f5a"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Login:
    """The login service.

    Attributes:
        client_ids: The ids of the clients that are accepted.
        browser: The browser of the authorization code flow.
        devices: The device logins that wait.
    """

    def __init__(self, world: World) -> None:
        """Accept the public client of Anaconda.

        Args:
            world: The users, and their credentials.
        """
        self.client_ids = {CLIENT_ID}
        self.browser = Browser(world.clock)
        self.devices = Devices(world.clock)
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes of the login service."""
        return [
            Route("GET", r"/\.well-known/openid-configuration", discover),
            Route("GET", r"/oauth2/auth", self.authorize),
            Route("POST", r"/oauth2/device/auth", self.begin_on_device),
            Route("GET", r"/device", self.show_device_page),
            Route("POST", r"/device", self.leave_device_page),
            Route("POST", r"/oauth2/token", self.give_access_token),
            Route("POST", r"/api/(?:auth|iam)/api-keys", self.make_api_key),
            Route("POST", r"/api/iam/token", self.give_service_token),
        ]

    def seat_at_browser(self, user: str) -> None:
        """Set the user of the browser. Without a `user`, every login is denied.

        Raises:
            Refusal: `no_user`.
        """
        self.browser.user = self._world.user(user).name if user else ""

    def decide(self, user_code: str, user: str) -> None:
        """Approve the login of the device that shows the code; without a `user`, deny it.

        Raises:
            Refusal: `no_login` or `no_user`.
        """
        self.devices.decide(user_code, self._world.user(user).name if user else "")

    def authorize(self, request: Request) -> Response:
        """`GET /oauth2/auth`."""
        asked = request.query
        if asked.get("client_id") not in self.client_ids:
            return page("<p>Unknown client.</p>", 400)
        return self.browser.send_back(asked)

    def begin_on_device(self, request: Request) -> Response:
        """`POST /oauth2/device/auth`."""
        login = self.devices.begin(self._client(request.form()))
        address = f"{request.base}/device"
        return json_response(
            {
                "device_code": login.device_code,
                "user_code": login.user_code,
                "verification_uri": address,
                "verification_uri_complete": f"{address}?user_code={login.user_code}",
                "expires_in": int(LIFE.total_seconds()),
                "interval": int(login.interval.total_seconds()),
            }
        )

    def show_device_page(self, request: Request) -> Response:
        """`GET /device`: a form to approve a device login manually."""
        code = html.escape(request.query.get("user_code", ""))
        users = "".join(f"<option>{name}" for name in self._world.users)
        return page(
            "<form method=post><p>A device wants to log in."
            f"<p>Code <input name=user_code value='{code}'> as <select name=user>{users}</select>"
            "<p><button name=decision value=approve>Approve</button> <button>Deny</button></form>"
        )

    def leave_device_page(self, request: Request) -> Response:
        """`POST /device`: the decision of that form."""
        form = request.form()
        self.decide(form.get("user_code", ""), form.get("user", "") if "decision" in form else "")
        return page("<p>Done. You can close this page.</p>")

    def give_access_token(self, request: Request) -> Response:
        """`POST /oauth2/token`."""
        user = self._world.user(self._granted_to(request.form()))
        return self._given(self._world.credentials.make_access_token(user), scope="openid")

    def give_service_token(self, request: Request) -> Response:
        """`POST /api/iam/token`, with id and secret in the form (RFC 6749, 2.3.1)."""
        form = request.form()
        if form.get("grant_type") != "client_credentials":
            raise Refusal("unsupported_grant_type")
        client = self._world.credentials.clients.get(form.get("client_id", ""))
        if client is None or form.get("client_secret") != client.client_secret:
            raise Refusal("invalid_client")
        admin = self._world.user(client.user)
        return self._given(self._world.credentials.make_service_account(admin))

    def make_api_key(self, request: Request) -> Response:
        """`POST /api/auth/api-keys` and `/api/iam/api-keys`."""
        user = authenticate(self._world, request, self._world.credentials.access_tokens)
        scopes = request.json().get("scopes")
        if not isinstance(scopes, list) or not scopes:
            raise Refused(invalid("scopes", "field required"))
        key = self._world.credentials.make_api_key(self._world.user(user), map(str, scopes))
        return json_response({"api_key": key.value}, status=201)

    def _given(self, token: Credential, **more: str) -> Response:
        life = token.expires - self._world.clock.now()
        return json_response(
            {
                "access_token": token.value,
                "token_type": "bearer",
                "expires_in": round(life.total_seconds()),
                **more,
            }
        )

    def _granted_to(self, form: dict[str, str]) -> str:
        client_id, grant = self._client(form), form.get("grant_type")
        if grant == "authorization_code":
            return self.browser.redeem(form)
        if grant == DEVICE_GRANT:
            return self.devices.poll(form.get("device_code", ""), client_id)
        raise Refusal("unsupported_grant_type")

    def _client(self, form: dict[str, str]) -> str:
        client_id = form.get("client_id", "")
        if client_id not in self.client_ids:
            raise Refusal("invalid_client")
        return client_id


def discover(request: Request) -> Response:
    """`GET /.well-known/openid-configuration`."""
    base = request.base
    return json_response(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/oauth2/auth",
            "token_endpoint": f"{base}/oauth2/token",
            "device_authorization_endpoint": f"{base}/oauth2/device/auth",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", DEVICE_GRANT],
            "code_challenge_methods_supported": ["S256"],
        }
    )

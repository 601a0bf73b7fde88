"""Log in with a code that the user types on any device with a browser (RFC 8628)."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from conda_token_plugin.errors.login import LoginIncomplete
from conda_token_plugin.errors.service import ServiceBusy, ServiceFault, ServiceUnreachable
from conda_token_plugin.service.login.oauth import FORM, OAuthRefused, access_token, address
from conda_token_plugin.service.models import JsonReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.errors.service import ServiceError
    from conda_token_plugin.gateways.http.client import Http
    from conda_token_plugin.service.login.oauth import Endpoints
    from conda_token_plugin.tokens.secret import Secret

INTERVAL = 5.0
"""Seconds between two polls if the service does not say (RFC 8628, 3.2). ``slow_down`` adds the
same number to all further intervals (3.5)."""
LONGEST = 1800.0
"""Maximum lifetime of a code in seconds, even if the service gives a longer one."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """The code that the user types at ``address``."""

    user_code: str
    address: str
    whole_address: str
    """An address that contains the code; ``address`` if the service gives none."""
    lifetime: float
    """Lifetime in seconds."""


@dataclass(frozen=True, slots=True)
class _StartedLogin:
    code: DeviceCode
    device_code: Secret
    """A secret: with it, any client can get the access token."""
    interval: float


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """One login with a code."""

    http: Http
    endpoints: Endpoints
    _: KW_ONLY
    client_id: str
    sleep: Callable[[float], None]
    clock: Callable[[], float]
    """Counts seconds and never jumps (``time.monotonic``)."""

    def access_token(self, *, show: Callable[[DeviceCode], None]) -> Secret:
        """Return an access token for the user who enters the code.

        Raises:
            LoginIncomplete: The login was denied or not finished in time, or the service offers
                no login by code.
            ServiceError: The service could not be used, up to the end.
        """
        if not self.endpoints.device:
            raise LoginIncomplete(
                "cannot be done with a code at this service", hint="Run: conda token login --web"
            )
        started = self._begin()
        deadline = self.clock() + started.code.lifetime
        show(started.code)
        return self._poll(started, deadline=deadline)

    def _begin(self) -> _StartedLogin:
        form = urlencode({"client_id": self.client_id, "scope": "openid"})
        response = self.http.send("POST", self.endpoints.device, form=form, headers=FORM)
        found = JsonReader(response.json(), response.url)
        if not response.ok:
            raise OAuthRefused(str(found["error"].value)).login_error
        return _read(found)

    def _poll(self, started: _StartedLogin, *, deadline: float) -> Secret:
        interval = started.interval
        failure: ServiceError | None = None
        while self.clock() + interval < deadline:
            self.sleep(interval)
            try:
                return self._ask(started.device_code)
            except OAuthRefused as error:  # not yet, or never
                interval, failure = _slower(error, interval=interval), None
            except ServiceBusy as error:  # from a gateway; the service says slow_down
                interval, failure = max(error.retry_after or 0, interval + INTERVAL), error
            except (ServiceUnreachable, ServiceFault) as error:
                # RFC 8628, 3.5: wait longer, because the next poll may succeed.
                interval, failure = interval * 2, error
        raise failure or OAuthRefused("expired_token").login_error

    def _ask(self, device_code: Secret) -> Secret:
        from oauthlib.oauth2 import DeviceClient

        client = DeviceClient(self.client_id)
        body = client.prepare_request_body(device_code=device_code.reveal(), include_client_id=True)
        return access_token(self.http, self.endpoints.token, client=client, body=body)


def _slower(error: OAuthRefused, *, interval: float) -> float:
    """Return the interval after a poll without a token, in seconds.

    Raises:
        LoginIncomplete: There will be no token.
    """
    if error.code == "authorization_pending":
        return interval
    if error.code == "slow_down":
        return interval + INTERVAL
    raise error.login_error


def _read(found: JsonReader) -> _StartedLogin:
    plain = address(found["verification_uri"])
    whole = found["verification_uri_complete"]
    code = DeviceCode(
        user_code=_shown(found["user_code"]),
        address=plain,
        whole_address=plain if whole.value is None else address(whole),
        lifetime=min(_seconds(found["expires_in"]), LONGEST),
    )
    interval = found["interval"]
    waits = INTERVAL if interval.value is None else _seconds(interval)
    return _StartedLogin(code, found["device_code"].secret, waits)


def _shown(part: JsonReader) -> str:
    """Return a text that is safe to print and short enough to type."""
    if not part.text.isprintable() or len(part.text) > 64:  # noqa: PLR2004  # no code is that long
        raise part.wrong("a code")
    return part.text


def _seconds(part: JsonReader) -> float:
    """Return a positive number of seconds; it may be written as a text."""
    try:
        seconds = float(part.value)
    except (TypeError, ValueError, OverflowError):  # missing, not a number, or one of 400 digits
        raise part.wrong("a number of seconds") from None
    if isinstance(part.value, bool) or not 0 < seconds < float("inf"):
        raise part.wrong("a number of seconds")
    return seconds

"""Logging in with a code that is typed on any device with a browser (RFC 8628)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from conda_token_plugin.errors.login import LoginAbandoned
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
"""Seconds between two polls where the service does not say (RFC 8628, 3.2); also what
``slow_down`` adds for good (3.5)."""
LONGEST = 1800.0
"""Seconds after which a code is given up, whatever the service says."""


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What the user is shown: type ``user_code`` at ``address``. Times are in seconds."""

    user_code: str
    address: str
    whole_address: str
    """An address with the code in it; ``address`` where the service has none."""
    lasts: float


@dataclass(frozen=True, slots=True)
class _Begun:
    code: DeviceCode
    device_code: str
    interval: float


class DeviceLogin:
    """One login with a code."""

    def __init__(
        self,
        http: Http,
        endpoints: Endpoints,
        *,
        client_id: str,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        """``clock`` counts seconds and never jumps (``time.monotonic``). Does no I/O."""
        self._http = http
        self._endpoints = endpoints
        self._client_id = client_id
        self._sleep = sleep
        self._clock = clock

    def access_token(self, *, show: Callable[[DeviceCode], None]) -> Secret:
        """Get a code, ``show`` it, and wait until somebody has logged in with it.

        Raises:
            LoginAbandoned: denied, not finished in time, or not offered.
            ServiceError: the service could not be used, to the end.
        """
        if not self._endpoints.device:
            raise LoginAbandoned(
                "cannot be done with a code at this service", hint="Run: conda token login --web"
            )
        begun = self._begin()
        deadline = self._clock() + begun.code.lasts
        show(begun.code)
        return self._poll(begun, deadline=deadline)

    def _begin(self) -> _Begun:
        form = urlencode({"client_id": self._client_id, "scope": "openid"})
        answer = self._http.send("POST", self._endpoints.device, form=form, headers=FORM)
        found = JsonReader(answer.json(), answer.url)
        if not answer.ok:
            raise OAuthRefused(str(found["error"].value)).abandoned
        return _read(found)

    def _poll(self, begun: _Begun, *, deadline: float) -> Secret:
        interval = begun.interval
        trouble: ServiceError | None = None
        while self._clock() + interval < deadline:
            self._sleep(interval)
            try:
                return self._ask(begun.device_code)
            except OAuthRefused as error:  # not yet, or never
                interval, trouble = _slower(error, interval=interval), None
            except ServiceBusy as error:  # told so by a gateway before the service could
                interval, trouble = max(error.retry_after or 0, interval + INTERVAL), error
            except (ServiceUnreachable, ServiceFault) as error:
                # RFC 8628, 3.5: back off, as the next poll may well succeed.
                interval, trouble = interval * 2, error
        raise _out_of_time(trouble)

    def _ask(self, device_code: str) -> Secret:
        from oauthlib.oauth2 import DeviceClient

        client = DeviceClient(self._client_id)
        body = client.prepare_request_body(device_code=device_code, include_client_id=True)
        return access_token(self._http, self._endpoints.token, client=client, body=body)


def _slower(error: OAuthRefused, *, interval: float) -> float:
    """The interval after a poll that brought no token.

    Raises:
        LoginAbandoned: there will be none.
    """
    if error.code == "authorization_pending":
        return interval
    if error.code == "slow_down":
        return interval + INTERVAL
    raise error.abandoned


def _out_of_time(trouble: ServiceError | None) -> Exception:
    return trouble or OAuthRefused("expired_token").abandoned


def _read(found: JsonReader) -> _Begun:
    plain = address(found["verification_uri"])
    whole = found["verification_uri_complete"]
    code = DeviceCode(
        user_code=_shown(found["user_code"]),
        address=plain,
        whole_address=plain if whole.value is None else address(whole),
        lasts=min(_seconds(found["expires_in"]), LONGEST),
    )
    interval = found["interval"]
    waits = INTERVAL if interval.value is None else _seconds(interval)
    return _Begun(code, found["device_code"].text, waits)


def _shown(part: JsonReader) -> str:
    """A text that is safe to print and short enough to type."""
    if not part.text.isprintable() or len(part.text) > 64:  # noqa: PLR2004  # no code is that long
        raise part.wrong("a code")
    return part.text


def _seconds(part: JsonReader) -> float:
    """A number of seconds above zero; a text that is one counts, too."""
    try:
        seconds = float(part.value)
    except (TypeError, ValueError, OverflowError):  # nothing, no number, or one of 400 digits
        raise part.wrong("a number of seconds") from None
    if isinstance(part.value, bool) or not 0 < seconds < float("inf"):
        raise part.wrong("a number of seconds")
    return seconds

"""Log in: get an access token in one of two ways, exchange it for an API key, and discard it.

``conda token login`` shows a code (``device``); with ``--web`` it opens the browser (``browser``).
The requests are those of anaconda-auth 0.15.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin import __version__
from conda_token_plugin.errors.login import LoginIncomplete
from conda_token_plugin.errors.service import ServiceBusy, ServiceFault, UnexpectedResponse
from conda_token_plugin.gateways.http.client import Http, bearer
from conda_token_plugin.service.login.browser import WAIT, BrowserLogin
from conda_token_plugin.service.login.device import DeviceLogin
from conda_token_plugin.service.login.oauth import discover
from conda_token_plugin.service.models import JsonReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.gateways.http.answer import HttpResponse
    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.service.login.device import DeviceCode
    from conda_token_plugin.service.login.oauth import Endpoints
    from conda_token_plugin.tokens.secret import HeaderValue, Secret

API_KEYS = ("/api/auth/api-keys", "/api/iam/api-keys")
"""Paths for creating an API key; the second is for services that do not have the first."""
REQUEST = {
    "scopes": ["cloud:read", "cloud:write", "repo:read"],
    "tags": [f"conda-token-plugin/v{__version__}"],
}
REFUSALS = (401, 403)


class Login:
    """Logs in at one service. Both ways may raise ``LoginIncomplete`` and ``ServiceError``."""

    def __init__(
        self,
        service_url: str,
        *,
        client_id: str,
        patience: Timeouts | None = None,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        """Do no I/O. ``clock`` counts seconds and never jumps (``time.monotonic``)."""
        self._url = service_url
        self._client_id = client_id
        self._sleep = sleep
        self._clock = clock
        self._http = Http(patience=patience)

    def by_device(self, *, show: Callable[[DeviceCode], None]) -> Secret:
        """Return the API key of the user who enters the code that ``show`` shows."""
        login = DeviceLogin(
            self._http,
            self._endpoints(),
            client_id=self._client_id,
            sleep=self._sleep,
            clock=self._clock,
        )
        return self._api_key(login.access_token(show=show))

    def by_browser(self, *, visit: Callable[[str], None], wait: float = WAIT) -> Secret:
        """Return the API key of the user who logs in with the browser, within ``wait`` seconds."""
        login = BrowserLogin(self._http, self._endpoints(), client_id=self._client_id)
        return self._api_key(login.access_token(visit=visit, wait=wait))

    def _endpoints(self) -> Endpoints:
        return discover(self._http, self._url)

    def _api_key(self, access_token: Secret) -> Secret:
        authorization = bearer(access_token)
        first, last = API_KEYS
        try:
            answer = self._ask_for_key(first, authorization)
        except (ServiceFault, ServiceBusy):  # the other path may work
            answer = None
        if answer is None or not answer.ok:
            answer = self._ask_for_key(last, authorization)
        if answer.status in REFUSALS:
            raise LoginIncomplete(f"was accepted, but no API key was given (HTTP {answer.status})")
        if not answer.ok:
            raise UnexpectedResponse(answer.url, got=answer.nature)
        return JsonReader(answer.json(), answer.url)["api_key"].secret

    def _ask_for_key(self, path: str, authorization: HeaderValue) -> HttpResponse:
        return self._http.send("POST", self._url + path, authorization=authorization, json=REQUEST)

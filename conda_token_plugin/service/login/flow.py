"""Log in: get an access token in one of two ways, exchange it for an API key, and discard it.

``conda token login`` shows a code (``device``); with ``--web`` it opens the browser (``browser``).
The requests are those of anaconda-auth 0.15.3.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import TYPE_CHECKING

from conda_token_plugin import __version__
from conda_token_plugin.errors.login import LoginIncomplete
from conda_token_plugin.errors.service import ServiceBusy, ServiceFault
from conda_token_plugin.gateways.http.client import Http, bearer
from conda_token_plugin.service.login.browser import WAIT, BrowserLogin
from conda_token_plugin.service.login.device import DeviceLogin
from conda_token_plugin.service.login.oauth import discover
from conda_token_plugin.service.models import document

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.service.login.device import DeviceCode
    from conda_token_plugin.tokens.secret import Secret

API_KEYS = ("/api/auth/api-keys", "/api/iam/api-keys")
"""Paths for creating an API key; the second is for services that do not have the first."""
REQUEST = {
    "scopes": ["cloud:read", "cloud:write", "repo:read"],
    "tags": [f"conda-token-plugin/v{__version__}"],
}


@dataclass(frozen=True, slots=True)
class Login:
    """Logs in at one service. Both ways may raise ``LoginIncomplete`` and ``ServiceError``."""

    service_url: str
    _: KW_ONLY
    client_id: str
    sleep: Callable[[float], None]
    clock: Callable[[], float]
    """Counts seconds and never jumps (``time.monotonic``)."""
    timeouts: Timeouts | None = None

    def by_device(self, *, show: Callable[[DeviceCode], None]) -> Secret:
        """Return the API key of the user who enters the code that ``show`` shows."""
        http = Http(timeouts=self.timeouts)
        login = DeviceLogin(
            http,
            discover(http, self.service_url),
            client_id=self.client_id,
            sleep=self.sleep,
            clock=self.clock,
        )
        return self._api_key(http, access_token=login.access_token(show=show))

    def by_browser(self, *, visit: Callable[[str], None], wait: float = WAIT) -> Secret:
        """Return the API key of the user who logs in with the browser, within ``wait`` seconds."""
        http = Http(timeouts=self.timeouts)
        login = BrowserLogin(http, discover(http, self.service_url), client_id=self.client_id)
        return self._api_key(http, access_token=login.access_token(visit=visit, wait=wait))

    def _api_key(self, http: Http, *, access_token: Secret) -> Secret:
        ask = partial(http.send, "POST", authorization=bearer(access_token), json=REQUEST)
        first, last = (self.service_url + path for path in API_KEYS)
        try:
            response = ask(first)
        except (ServiceFault, ServiceBusy):  # the other path may work
            response = None
        if response is None or not response.ok:
            response = ask(last)
        if response.refused:
            raise LoginIncomplete(
                f"was accepted, but no API key was issued (HTTP {response.status})"
            )
        return document(response)["api_key"].secret

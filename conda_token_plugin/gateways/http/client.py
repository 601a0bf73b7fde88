"""Send the plugin's own requests.

- Each request has a total deadline, and each response a maximum length.
- A read (GET, HEAD) is repeated when the connection breaks or a gateway answers 502 to 504.
  A write is repeated only when no connection was made, and never uses an idle connection.
- Redirects are followed only where the caller asks for it. ``Authorization`` then stays with
  the scheme, host and port that it was meant for, and inside of the scope that the caller names.
- ``~/.netrc`` is ignored: requests would replace our ``Authorization`` with its entry.
- Each response tells the clock that is in use the time of the server (``gateways.clock``).
- Proxies, certificates and timeouts are those of conda, if conda can be imported (``network``).
- No exception of requests leaves this module, because it contains the request and its headers.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin import __version__
from conda_token_plugin.errors.service import ResponseLost, ServiceUnreachable
from conda_token_plugin.gateways.bounded import DeadlineExceeded, bounded
from conda_token_plugin.gateways.clock import compare
from conda_token_plugin.gateways.http.network import Network, Timeouts, network
from conda_token_plugin.gateways.http.response import HttpResponse, read_response
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.scope import without_secrets
from conda_token_plugin.tokens.secret import HeaderValue

__all__ = ["Http", "Timeouts", "bearer"]

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import Any

    from requests import PreparedRequest, Response, Session

    from conda_token_plugin.tokens.secret import Secret

READS = frozenset({"GET", "HEAD"})
MAX_BYTES = 4 * 1024 * 1024
"""Maximum number of bytes of a response. No response of the service is nearly as long."""
DEFAULT_HEADERS = {
    "User-Agent": f"conda-token-plugin/{__version__}",
    "Accept-Encoding": "identity",  # so that a part of a response can be read
}


class Http:
    """Sends requests. Reads share their connections, so that several cost one handshake."""

    def __init__(
        self, *, timeouts: Timeouts | None = None, outcome: str = "Nothing was changed."
    ) -> None:
        """Do no I/O.

        Args:
            timeouts: Limits of each request. None: those of ``network``.
            outcome: The last sentence of the message when there is no response.
        """
        self._given = timeouts
        self._outcome = outcome
        self._reads: Session | None = None
        self._abandoned = Event()

    def send(  # noqa: PLR0913  # the parts of a request
        self,
        method: str,
        url: str,
        *,
        authorization: HeaderValue | None = None,
        headers: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | str | None = None,
        follow: bool = False,
        within: tuple[str, ...] = (),
        max_bytes: int = MAX_BYTES,
    ) -> HttpResponse:
        """Send one request.

        Args:
            method: The HTTP method.
            url: The address; it may contain a token in its path.
            authorization: Value of the header ``Authorization``.
            headers: Further headers.
            json: Body, sent as JSON.
            form: Body, sent as a form.
            follow: Whether to follow redirects.
            within: The token's scope. A redirect takes the token along only to a URL that one
                of these prefixes covers. Empty: to any path on the same host.
            max_bytes: Number of bytes of the body that are read.

        Returns:
            A response of 2xx or 4xx, or of 3xx that was not followed.

        Raises:
            ServiceUnreachable: There was no response.
            ResponseLost: The same, and the request may have arrived.
            ServiceBusy: The status was 429.
            ServiceFault: The status was 5xx.
            ConfigurationError: conda's configuration cannot be read.
            BadInput: A variable with network settings cannot be read.
        """
        shown = without_secrets(url)
        if self._network.offline:
            raise ServiceUnreachable(
                shown,
                reason="conda is offline",
                outcome=self._outcome,
                hint="Run: conda config --set offline false",
            )
        opened = self._opened(
            method,
            url,
            abandoned=self._abandoned,
            auth=_Authorization(authorization, within=within),
            headers=headers,
            json=json,
            data=form,
            allow_redirects=follow,
        )
        try:
            response = exchange(
                opened,
                url=shown,
                max_bytes=max_bytes,
                timeouts=self._timeouts,
                outcome=self._outcome,
                of_conda=self._network.of_conda,
            )
        except ServiceUnreachable:
            self._abandoned.set()
            self._abandoned = Event()
            self._reads = None  # after the deadline, the abandoned thread still uses its connection
            raise
        compare(response.date, server=urlsplit(response.url).hostname or "the server")
        return response

    @cached_property
    def _network(self) -> Network:
        return network(Settings())

    @property
    def _timeouts(self) -> Timeouts:
        return self._given or self._network.timeouts

    @contextmanager
    def _opened(
        self, method: str, url: str, *, abandoned: Event, **request: Any
    ) -> Iterator[Response]:
        timeout = (self._timeouts.connect, self._timeouts.read)
        with (
            self._session(method, abandoned=abandoned) as session,
            session.request(method, url, stream=True, timeout=timeout, **request) as response,
        ):
            yield response

    @contextmanager
    def _session(self, method: str, *, abandoned: Event) -> Iterator[Session]:
        from conda_token_plugin.gateways.http.session import session

        if method in READS:
            if self._reads is None:
                self._reads = session(
                    self._network, retries=self._timeouts.retries, reads=True, abandoned=abandoned
                )
                self._reads.headers.update(DEFAULT_HEADERS)
            yield self._reads
            return
        with session(
            self._network, retries=self._timeouts.retries, reads=False, abandoned=abandoned
        ) as fresh:
            fresh.headers.update(DEFAULT_HEADERS)
            yield fresh


def exchange(  # noqa: PLR0913  # the parts of a message
    opened: AbstractContextManager[Response],
    *,
    url: str,
    max_bytes: int,
    timeouts: Timeouts,
    outcome: str,
    of_conda: bool,
) -> HttpResponse:
    """Send a request and read its response, with a total deadline.

    Args:
        opened: Sends the request on entry, which is in another thread.
        url: The address without secrets, for messages.
        max_bytes: Number of bytes of the body that are read.
        timeouts: The limits of the request.
        outcome: The last sentence of the message when there is no response.
        of_conda: Whether the request uses conda's network settings, which a hint then names.

    Raises:
        ServiceUnreachable: There was no response.
        ResponseLost: The same, and the request may have arrived.
        ServiceBusy: The status was 429.
        ServiceFault: The status was 5xx.
    """

    def work() -> HttpResponse | ServiceUnreachable:
        # A failure is returned and not raised, so that it does not keep the exception of requests,
        # with the request's headers, as its context.
        from conda_token_plugin.gateways.http.redaction import quiet_logs
        from conda_token_plugin.gateways.http.session import REQUEST_ERRORS

        try:
            with quiet_logs(), opened as response:
                return read_response(response, max_bytes=max_bytes)
        except REQUEST_ERRORS as error:
            from conda_token_plugin.gateways.http.failures import unreachable

            return unreachable(url, error, timeouts=timeouts, outcome=outcome, of_conda=of_conda)

    try:
        result = bounded(work, seconds=timeouts.total)
    except DeadlineExceeded:
        reason = f"no complete response within {timeouts.total:g} seconds"
        result = ResponseLost(url, reason=reason, outcome=outcome)
    if isinstance(result, ServiceUnreachable):
        raise result
    return result


def bearer(secret: Secret) -> HeaderValue:
    """Return the value of ``Authorization`` for an API key or an access token."""
    return HeaderValue(f"Bearer {secret.reveal()}")


class _Authorization:
    """Sets ``Authorization``. It is an ``auth`` of requests, so that netrc does not replace it."""

    def __init__(self, value: HeaderValue | None, *, within: tuple[str, ...]) -> None:
        self._value = value
        self._within = within

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self._value is not None:
            request.headers["Authorization"] = self._value
        if self._within:
            from conda_token_plugin.gateways.http.redirects import scope_hook

            hook = scope_hook(self._within)
            request.register_hook("response", hook)  # type: ignore[no-untyped-call]  # no stubs
        return request

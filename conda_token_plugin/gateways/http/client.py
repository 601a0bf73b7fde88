"""The one place that sends a request.

- Every wait is bounded (``Timeouts``), and so is every answer's length.
- A read (GET, HEAD) is repeated when the connection breaks or a gateway answers 502 to 504;
  a write only when no connection was made, and it never goes over a connection that has been idle.
- Redirects are followed only where the caller says so, and then ``Authorization`` stays
  with the scheme, host and port that it was meant for.
- ``~/.netrc`` has no say: left to itself, requests puts it in the place of our ``Authorization``.
- Proxies and certificates are as requests has them (``HTTPS_PROXY``, ``REQUESTS_CA_BUNDLE``).
- What requests raises ends here: its exceptions carry the request with its headers.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin import __version__
from conda_token_plugin.gateways.http.answer import HttpResponse, answer
from conda_token_plugin.tokens.scope import without_secrets
from conda_token_plugin.tokens.secret import HeaderValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from requests import PreparedRequest, Session

    from conda_token_plugin.tokens.secret import Secret

READS = frozenset({"GET", "HEAD"})
LARGEST = 4 * 1024 * 1024
"""Bytes of an answer that are read; no answer of the service comes near it."""
DEFAULT_HEADERS = {
    "User-Agent": f"conda-token-plugin/{__version__}",
    "Accept-Encoding": "identity",  # so that a part of an answer can be read
}


class Timeouts(NamedTuple):
    """How long to wait, in seconds, and how often to try again what may be tried again."""

    connect: float = 5.0
    read: float = 20.0
    """Between two bytes of an answer."""
    again: int = 2


class Http:
    """Sends. Reads share their connections, so that several of them cost one handshake."""

    def __init__(
        self, *, patience: Timeouts | None = None, outcome: str = "Nothing was changed."
    ) -> None:
        """Do no I/O. ``outcome`` ends the message when nobody answers."""
        self._patience = patience or Timeouts()
        self._outcome = outcome
        self._reads: Session | None = None

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
        at_most: int = LARGEST,
    ) -> HttpResponse:
        """Send one request; ``at_most`` is how many bytes of the answer's body are read.

        Redirects that are followed take ``authorization`` along below the prefixes ``within``;
        without any, wherever requests does.

        Returns:
            An answer of 2xx or 4xx, or of 3xx that was not followed.

        Raises:
            ServiceUnreachable: nobody answered; as ``AnswerLost`` if the request had gone out.
            ServiceBusy: 429. ServiceFault: 5xx.
        """
        from conda_token_plugin.gateways.http.session import TROUBLE, discreet

        try:
            with (
                self._session(method) as session,
                discreet(),
                session.request(
                    method,
                    url,
                    auth=_Carried(authorization, within=within),
                    headers=headers,
                    json=json,
                    data=form,
                    allow_redirects=follow,
                    stream=True,
                    timeout=(self._patience.connect, self._patience.read),
                ) as response,
            ):
                return answer(response, at_most=at_most)
        except TROUBLE as error:
            from conda_token_plugin.gateways.http.failures import unreachable

            failure = unreachable(
                without_secrets(url), error, patience=self._patience, outcome=self._outcome
            )
        raise failure  # here and not above: it must not hold on to the request as its context

    @contextmanager
    def _session(self, method: str) -> Iterator[Session]:
        from conda_token_plugin.gateways.http.session import session

        if method in READS:
            if self._reads is None:
                self._reads = session(again=self._patience.again, reads=True)
                self._reads.headers.update(DEFAULT_HEADERS)
            yield self._reads
            return
        with session(again=self._patience.again, reads=False) as fresh:
            fresh.headers.update(DEFAULT_HEADERS)
            yield fresh


def bearer(secret: Secret) -> HeaderValue:
    """The value of ``Authorization`` that the service takes an API key or an access token in."""
    return HeaderValue(f"Bearer {secret.reveal()}")


class _Carried:
    """Puts our ``Authorization`` in. As ``auth``, because a header alone gives way to netrc."""

    def __init__(self, value: HeaderValue | None, *, within: tuple[str, ...]) -> None:
        self._value = value
        self._within = within

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self._value is not None:
            request.headers["Authorization"] = self._value
        if self._within:
            from conda_token_plugin.auth.responses import kept_within

            hook = kept_within(self._within)
            request.register_hook("response", hook)  # type: ignore[no-untyped-call]  # no stubs
        return request

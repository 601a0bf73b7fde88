"""Put ``/t/<token>/`` on the wire and nowhere else, for servers that accept no ``Authorization``.

A token in a request's URL would be in every log and error about that request, and redirects
would repeat it. So the URL stays unchanged, and an adapter (the layer of requests below
sessions, logs and redirects) writes the token into the request line while it sends.
Each hop of a redirect passes the adapter again, and its own URL decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests.adapters import BaseAdapter
from requests.exceptions import RequestException

from conda_token_plugin.gateways.http.redaction import redact_logs, redacted
from conda_token_plugin.tokens.authorization import PATH, address, without_path_token

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session
    from requests.auth import AuthBase

    from conda_token_plugin.auth.responses import Covered
    from conda_token_plugin.tokens.secret import Secret


def send_in_path(sessions: type[Session], *, handler: type[AuthBase], covered: Covered) -> None:
    """Make the ``sessions`` whose auth is a ``handler`` send path tokens in the path from now on.

    All sessions, not the one that sends this request: a request does not know its session, and
    conda lets several threads use a session that another thread has created (shards, 26.7).
    """
    plain = sessions.get_adapter

    def get_adapter(session: Session, url: str) -> BaseAdapter:
        adapter = plain(session, url)
        return InPath(adapter, covered=covered) if isinstance(session.auth, handler) else adapter

    # conda offers no other place where a request can be changed below all logs.
    sessions.get_adapter = get_adapter  # type: ignore[assignment, method-assign]  # on purpose


class InPath(BaseAdapter):
    """Sends with another adapter, with the token in the path if a path token covers the URL."""

    def __init__(self, inner: BaseAdapter, *, covered: Covered) -> None:
        """``covered`` returns the token for a URL and its secret."""
        super().__init__()
        self._inner = inner
        self._covered = covered

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send; afterwards neither request, response nor error contains the token.

        Raises:
            RequestException: as the other adapter does, with the token redacted.
        """
        url = request.url or ""
        covering = self._covered(url)
        if covering is None or covering[0].token.scheme != PATH:
            return self._inner.send(request, *args, **kwargs)
        credential, secret = covering
        redact_logs(secret)
        request.url = address(url, token=credential.token, secret=secret)
        try:
            response = self._inner.send(request, *args, **kwargs)
        except RequestException as error:  # no connection, a timeout; the text has the path
            raise _without_token(error, secret=secret) from None
        finally:
            request.url = url
        response.url = url
        if "location" in response.headers:  # a server may repeat the path that was requested
            location = response.headers["location"]
            response.headers["location"] = without_path_token(location, secret=secret)
        # If a proxy answers 407, conda repeats the request through the response's connection.
        response.connection = self  # type: ignore[assignment]  # it can also send
        return response

    def close(self) -> None:
        """Close the other adapter."""
        self._inner.close()


def _without_token(error: RequestException, *, secret: Secret) -> RequestException:
    """Return an error of the same type with the token redacted, and without a cause."""
    text = redacted(str(error), secret)
    return type(error)(text, request=error.request, response=error.response)

"""``/t/<token>/`` put on the wire and nowhere else, for servers that take no ``Authorization``.

A token in a request's URL would be in every log and error about that request, and redirects
would take it along. So the URL stays as it is, and an adapter (the layer of requests below
sessions, logs and redirects) writes the token into the request line while it sends.
Each hop of a redirect comes through here again and is looked at by itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from requests.adapters import BaseAdapter
from requests.exceptions import RequestException

from conda_token_plugin.tokens.authorization import PATH, address
from conda_token_plugin.tokens.secret import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import PreparedRequest, Response, Session
    from requests.auth import AuthBase

    from conda_token_plugin.store.lookup import Found
    from conda_token_plugin.tokens.secret import Secret

    Covered = Callable[[str], "tuple[Found, Secret] | None"]

WIRE_LOGS = ("urllib3.connectionpool", "urllib3.util.retry")
"""They log request lines; conda prints them at ``-vvv``."""


def send_in_path(sessions: type[Session], *, handler: type[AuthBase], covered: Covered) -> None:
    """Have those of ``sessions`` that ask ``handler`` send path tokens in the path, from now on.

    All of them, and not the one that sends this request: a request does not tell its session, and
    conda lets several threads use one that another has made (for shards; conda 26.7).
    """
    plain = sessions.get_adapter

    def get_adapter(session: Session, url: str) -> BaseAdapter:
        adapter = plain(session, url)
        return InPath(adapter, covered=covered) if isinstance(session.auth, handler) else adapter

    # conda has no other place where a request can be changed below all logs.
    sessions.get_adapter = get_adapter  # type: ignore[assignment, method-assign]  # on purpose


class InPath(BaseAdapter):
    """Sends by another adapter, with the token in the path where one covers the URL."""

    def __init__(self, inner: BaseAdapter, *, covered: Covered) -> None:
        """``covered`` gives the token for a URL, and its secret."""
        super().__init__()
        self._inner = inner
        self._covered = covered

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send; neither the request nor the response nor an error shows the token after that.

        Raises:
            RequestException: as the other adapter, without the token in its words.
        """
        url = request.url or ""
        found = self._covered(url)
        if found is None or found[0].way != PATH:
            return self._inner.send(request, *args, **kwargs)
        token, secret = found
        _quieten(secret)
        request.url = address(url, token=token, secret=secret)
        try:
            response = self._inner.send(request, *args, **kwargs)
        except RequestException as error:  # no connection, a timeout; their words hold the path
            raise _cleaned(error, secret=secret) from None
        finally:
            request.url = url
        response.url = url
        if "location" in response.headers:  # a server may tell the path that it was asked for
            there, ours = response.headers["location"], address("/", token=token, secret=secret)
            response.headers["location"] = there.replace(ours, "/")
        # A proxy's 407 is answered by sending once more through the response's connection.
        response.connection = self  # type: ignore[assignment]  # it sends, too
        return response

    def close(self) -> None:
        """Close the other adapter."""
        self._inner.close()


class _Redaction(logging.Filter):
    """Takes one secret out of what is logged."""

    def __init__(self, secret: Secret) -> None:
        super().__init__()
        self.secret = secret

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without the secret."""
        record.msg, record.args = _without(record.getMessage(), self.secret), None
        return True


def _quieten(secret: Secret) -> None:
    for log in map(logging.getLogger, WIRE_LOGS):
        known = (one for one in log.filters if isinstance(one, _Redaction))
        if not any(one.secret == secret for one in known):
            log.addFilter(_Redaction(secret))


def _cleaned(error: RequestException, *, secret: Secret) -> RequestException:
    """An error of the same type, whose text is without the token and which holds no cause."""
    text = _without(str(error), secret)
    return type(error)(text, request=error.request, response=error.response)


def _without(text: str, secret: Secret) -> str:
    return text.replace(secret.reveal(), HIDDEN)

"""Why nobody answered, in words for people.

Reads the types of what requests and urllib3 raise, and not their text: their messages hold
addresses of objects, and URLs that may hold a token.
"""

from __future__ import annotations

import errno
import ssl
from http.client import RemoteDisconnected
from typing import TYPE_CHECKING

from requests import exceptions as theirs
from urllib3 import exceptions as inner

from conda_token_plugin.errors.service import AnswerLost, ServiceUnreachable

if TYPE_CHECKING:
    from conda_token_plugin.gateways.http.client import Timeouts


def unreachable(
    url: str, error: Exception, *, patience: Timeouts, outcome: str
) -> ServiceUnreachable:
    """The error for ``error``; ``AnswerLost`` where the request may have arrived."""
    cause = _root(error)
    kind = AnswerLost if _was_sent(cause) else ServiceUnreachable
    return kind(url, reason=_reason(cause, patience=patience), outcome=outcome)


def _root(error: BaseException) -> BaseException:
    """What lies below the wrappers of requests and urllib3."""
    while True:
        within = getattr(error, "reason", None)  # MaxRetryError
        if not isinstance(within, BaseException) and isinstance(error, theirs.RequestException):
            within = error.args[0] if error.args else None
        if not isinstance(within, BaseException):
            return error
        error = within


def _was_sent(cause: BaseException) -> bool:
    """Whether the request may have arrived: everything but a connection that was not made.

    A certificate is judged before anything is sent; any other TLS failure may come later.
    A plain ValueError is urllib.parse's word for where an answer redirects to.
    """
    if isinstance(cause, (inner.ProxyError, inner.ConnectTimeoutError, theirs.ConnectTimeout)):
        return False
    if isinstance(cause, inner.SSLError):
        return not _is_certificate(cause)
    late = (inner.TimeoutError, theirs.Timeout, inner.ProtocolError, inner.InvalidHeader)
    return isinstance(cause, late) or type(cause) is ValueError


def _is_certificate(cause: BaseException) -> bool:
    return any(isinstance(part, ssl.SSLCertVerificationError) for part in (*cause.args, cause))


def _reason(cause: BaseException, *, patience: Timeouts) -> str:
    if isinstance(cause, inner.SSLError):
        return _tls(cause)
    if isinstance(cause, inner.NewConnectionError):
        return _no_connection(cause)
    if isinstance(cause, inner.ProtocolError):
        return _broken(cause)
    words = (text for kind, text in _WORDS if isinstance(cause, kind))
    return next(words).format(patience=patience)


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (inner.ProxyError, "the proxy did not let the request through"),
    (inner.ConnectTimeoutError, "no connection within {patience.connect:g} seconds"),
    (theirs.ConnectTimeout, "no connection within {patience.connect:g} seconds"),
    (inner.TimeoutError, "no answer within {patience.read:g} seconds"),
    (theirs.Timeout, "no answer within {patience.read:g} seconds"),
    (theirs.InvalidProxyURL, "the proxy's address cannot be read"),
    (theirs.TooManyRedirects, "it redirects without end"),
    (theirs.InvalidSchema, "the proxy needs a library that is not installed (PySocks)"),
    (inner.InvalidHeader, "the headers of its answer make no sense"),
    (theirs.InvalidURL, "it is, or redirects to, what is no address"),
    (theirs.RequestException, "the request could not be made"),
    (ValueError, "it is, or redirects to, what is no address"),
    (inner.HTTPError, "the request could not be made"),
    (BaseException, "the file that REQUESTS_CA_BUNDLE names cannot be used"),
)
"""The first that fits. The last is what requests raises as a plain OSError."""


def _tls(cause: inner.SSLError) -> str:
    if _is_certificate(cause):
        return (
            "its certificate is not trusted "
            "(set REQUESTS_CA_BUNDLE to the file with your company's certificates)"
        )
    return "no encrypted connection came about"


def _no_connection(cause: inner.NewConnectionError) -> str:
    named = getattr(inner, "NameResolutionError", None)  # since urllib3 2.0
    system = cause.__cause__ or cause.__context__  # urllib3 1.26 names no cause
    if (named and isinstance(cause, named)) or getattr(system, "errno", 0) in _NO_SUCH_HOST:
        return "no such host"
    return _system(system)


_NO_SUCH_HOST = frozenset({-2, -3, -5, 8, 11001})
"""EAI_NONAME, EAI_AGAIN and EAI_NODATA on Linux, macOS and Windows: urllib3 1.26 keeps these."""


def _broken(cause: inner.ProtocolError) -> str:
    within = next((part for part in cause.args if isinstance(part, BaseException)), None)
    if isinstance(within, RemoteDisconnected):
        return "it closed the connection without an answer"
    return _system(within)


def _system(error: BaseException | None) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.ECONNREFUSED, errno.ECONNRESET):
        return "it refused the connection" if number == errno.ECONNREFUSED else "it broke off"
    return (getattr(error, "strerror", None) or "the connection failed").lower()

"""Explain why there was no response.

Only the types of exceptions of requests and urllib3 are used. Their texts contain addresses of
objects, and URLs with tokens.
"""

from __future__ import annotations

import errno
import ssl
from http.client import RemoteDisconnected
from pathlib import Path
from typing import TYPE_CHECKING

from requests import exceptions as requests_errors
from urllib3 import exceptions as urllib3_errors

from conda_token_plugin.errors.service import ResponseLost, ServiceUnreachable
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from conda_token_plugin.gateways.http.network import Timeouts


CONDA_HINTS = {
    "certificate": "Run: conda config --set ssl_verify FILE   (your company's certificates)",
    "proxy": "Run: conda config --show proxy_servers",
    "file": "Run: conda config --show ssl_verify client_ssl_cert client_ssl_cert_key",
    "client": "The server may require a client certificate. Run: conda config --show "
    "client_ssl_cert client_ssl_cert_key",
    "": "Check the network and conda's settings proxy_servers and ssl_verify, then run this "
    "command again.",
}
HINTS = {
    "certificate": "Set REQUESTS_CA_BUNDLE to the file with your company's certificates.",
    "proxy": "Check HTTPS_PROXY and HTTP_PROXY, then run this command again.",
    "file": "Check ANACONDA_AUTH_SSL_VERIFY, ANACONDA_AUTH_CLIENT_CERT and "
    "ANACONDA_AUTH_CLIENT_CERT_KEY, and ssl_verify and client_cert of the site.",
    "client": "The server may require a client certificate: set ANACONDA_AUTH_CLIENT_CERT.",
    "": "Check the network and the proxy settings, then run this command again.",
}
"""The next step for each topic, with conda's settings and without."""
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name the certificates to trust. The first that is set is used, and has precedence
over conda's ``ssl_verify`` (``requests.Session.merge_environment_settings``)."""


def unreachable(
    url: str, error: Exception, *, timeouts: Timeouts, outcome: str, of_conda: bool = False
) -> ServiceUnreachable:
    """Return our error for an exception of requests.

    The parameters are those of ``client.exchange``.

    Returns:
        ``ResponseLost`` if the request may have arrived.
    """
    cause = _root(error)
    kind = ResponseLost if _was_sent(cause) else ServiceUnreachable
    hint = _hint(_topic(cause), of_conda=of_conda)
    return kind(url, reason=_reason(cause, timeouts=timeouts), outcome=outcome, hint=hint)


def _hint(topic: str, *, of_conda: bool) -> str:
    variables = Settings().variables
    bundle = next((name for name in BUNDLES if variables.get(name)), None)
    is_missing = topic == "file" and bundle is not None and not Path(variables[bundle]).exists()
    if bundle is None or not (topic == "certificate" or is_missing):
        return (CONDA_HINTS if of_conda else HINTS)[topic]
    return (
        f"Check {bundle}: the file that it names must exist and contain your company's "
        "certificates." + (" While it is set, conda's ssl_verify is not used." if of_conda else "")
    )


def _root(error: BaseException) -> BaseException:
    """Return the exception inside of the wrappers of requests and urllib3."""
    while True:
        within = getattr(error, "reason", None)  # MaxRetryError
        if not isinstance(within, BaseException) and isinstance(
            error, requests_errors.RequestException
        ):
            within = error.args[0] if error.args else None
        if not isinstance(within, BaseException):
            return error
        error = within


def _topic(cause: BaseException) -> str:
    if isinstance(
        cause,
        (urllib3_errors.ProxyError, requests_errors.InvalidProxyURL, requests_errors.InvalidSchema),
    ):
        return "proxy"
    if _is_certificate(cause):
        return "certificate"
    if isinstance(cause, urllib3_errors.SSLError):
        return "client" if _is_ended(cause) else ""
    is_file = isinstance(cause, OSError) and not isinstance(cause, requests_errors.RequestException)
    return "file" if is_file else ""


def _was_sent(cause: BaseException) -> bool:
    """Return whether the request may have arrived.

    It has not if no connection was made. A certificate is checked before anything is sent; any
    other TLS error may come later. A plain ValueError is urllib.parse's error for the target of
    a redirect.
    """
    if isinstance(
        cause,
        (
            urllib3_errors.ProxyError,
            urllib3_errors.ConnectTimeoutError,
            requests_errors.ConnectTimeout,
        ),
    ):
        return False
    if isinstance(cause, urllib3_errors.SSLError):
        return not _is_certificate(cause)
    late = (
        urllib3_errors.TimeoutError,
        requests_errors.Timeout,
        urllib3_errors.ProtocolError,
        urllib3_errors.InvalidHeader,
    )
    return isinstance(cause, late) or type(cause) is ValueError


def _is_certificate(cause: BaseException) -> bool:
    return any(isinstance(part, ssl.SSLCertVerificationError) for part in (*cause.args, cause))


def _is_ended(cause: urllib3_errors.SSLError) -> bool:
    """Return whether the server ended the handshake, as it does without a client certificate."""
    return any(
        isinstance(part, ssl.SSLEOFError)
        or (isinstance(part, ssl.SSLError) and "ALERT" in (part.reason or ""))
        for part in cause.args
    )


def _reason(cause: BaseException, *, timeouts: Timeouts) -> str:
    if isinstance(cause, urllib3_errors.SSLError):
        return _tls(cause)
    if isinstance(cause, urllib3_errors.NewConnectionError):
        return _no_connection(cause)
    if isinstance(cause, urllib3_errors.ProtocolError):
        return _broken(cause)
    words = (text for kind, text in _WORDS if isinstance(cause, kind))
    return next(words).format(timeouts=timeouts)


_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (urllib3_errors.ProxyError, "the proxy refused the request"),
    (urllib3_errors.ConnectTimeoutError, "no connection within {timeouts.connect:g} seconds"),
    (requests_errors.ConnectTimeout, "no connection within {timeouts.connect:g} seconds"),
    (urllib3_errors.TimeoutError, "no response within {timeouts.read:g} seconds"),
    (requests_errors.Timeout, "no response within {timeouts.read:g} seconds"),
    (requests_errors.InvalidProxyURL, "the proxy's address cannot be read"),
    (requests_errors.TooManyRedirects, "it redirects too often"),
    (requests_errors.InvalidSchema, "the proxy needs a library that is not installed (PySocks)"),
    (urllib3_errors.InvalidHeader, "the headers of its response are invalid"),
    (requests_errors.InvalidURL, "it is not a valid address, or redirects to one that is not"),
    (requests_errors.RequestException, "the request could not be sent"),
    (ValueError, "it is not a valid address, or redirects to one that is not"),
    (urllib3_errors.HTTPError, "the request could not be sent"),
    (BaseException, "a file of certificates or a client certificate cannot be used"),
)
"""The first that fits. requests raises a plain OSError for the last."""


def _tls(cause: urllib3_errors.SSLError) -> str:
    if _is_certificate(cause):
        return "its certificate is not trusted"
    return "no encrypted connection could be established"


def _no_connection(cause: urllib3_errors.NewConnectionError) -> str:
    named = getattr(urllib3_errors, "NameResolutionError", None)  # since urllib3 2.0
    system = cause.__cause__ or cause.__context__  # urllib3 1.26 names no cause
    if (named and isinstance(cause, named)) or getattr(system, "errno", 0) in _NO_SUCH_HOST:
        return "no such host"
    return _system(system)


_NO_SUCH_HOST = frozenset({-2, -3, -5, 8, 11001})
"""EAI_NONAME, EAI_AGAIN and EAI_NODATA on Linux, macOS and Windows: urllib3 1.26 keeps these."""


def _broken(cause: urllib3_errors.ProtocolError) -> str:
    within = next((part for part in cause.args if isinstance(part, BaseException)), None)
    if isinstance(within, RemoteDisconnected):
        return "it closed the connection without a response"
    return _system(within)


def _system(error: BaseException | None) -> str:
    number = getattr(error, "errno", None)
    if number in (errno.ECONNREFUSED, errno.ECONNRESET):
        return (
            "it refused the connection"
            if number == errno.ECONNREFUSED
            else "it closed the connection"
        )
    return (getattr(error, "strerror", None) or "the connection failed").lower()

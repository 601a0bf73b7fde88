"""Sessions of requests for the plugin's own requests.

They repeat only what may be repeated, ignore ``~/.netrc`` on redirects, use the settings of
``network``, and never send a plain http request through a proxy to this machine.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import DEFAULT_POOLBLOCK, HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry
from urllib3.exceptions import HTTPError

from conda_token_plugin.errors.input import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ssl import SSLContext
    from threading import Event

    from requests import PreparedRequest, Response

    from conda_token_plugin.gateways.http.network import Network

TRUSTSTORE = "truststore"
GATEWAY_ERRORS = (502, 503, 504)
"""Statuses of a gateway after which a read is repeated."""
REQUEST_ERRORS = (OSError, ValueError, HTTPError)
"""What sending may raise. All exceptions of requests and a missing file of certificates are
OSErrors. requests lets some exceptions of urllib3 and urllib.parse through, for example for a
redirect to something that is not an address."""
PAUSE = 0.2
"""Seconds before the second repetition, doubled with each further one."""


def session(
    network: Network, *, retries: int, reads: bool, abandoned: Event | None = None
) -> requests.Session:
    """Return a session.

    Args:
        network: Proxies, certificates and headers.
        retries: Maximum number of repetitions.
        reads: Whether the session sends only reads. A read is repeated after a connection
            error and an error of a gateway; a write only if no connection was made, because
            it must not arrive twice.
        abandoned: After it is set, the session sends nothing through a new connection.

    Raises:
        BadInput: The setting ``truststore`` needs a library that is not installed.
    """
    new = _Session()
    # Retry-After is reported to the user: waiting for it could take an hour.
    retry = Retry(
        total=retries,
        connect=retries,
        read=min(retries, 1) if reads else False,
        other=0,
        status=retries if reads else 0,
        status_forcelist=GATEWAY_ERRORS if reads else (),
        allowed_methods=None,  # `read` decides: of a write, nothing that was sent is repeated
        backoff_factor=PAUSE,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    for scheme in ("https://", "http://"):
        new.mount(scheme, _Adapter(_system_trust(network), abandoned, max_retries=retry))
    new.proxies.update(network.proxies)
    new.verify = True if network.verify == TRUSTSTORE else network.verify
    new.cert = network.cert
    new.headers.update(network.headers)
    if network.verify is False:
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the user's own choice
    return new


def _system_trust(network: Network) -> SSLContext | None:
    """Return a TLS context with the certificates of the system, if the settings ask for it."""
    if network.verify != TRUSTSTORE:
        return None
    import ssl

    try:
        import truststore
    except ImportError:  # conda installs it since 23.9; elsewhere it is an optional library
        raise BadInput(
            "The setting ssl_verify: truststore needs the library truststore.",
            hint="Install truststore, or set ssl_verify to a file of certificates.",
        ) from None
    context: SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return context


class _Adapter(HTTPAdapter):
    """An adapter with a TLS context of ours, and with connections that can be abandoned.

    Both also apply to connections to a proxy.
    """

    def __init__(self, context: SSLContext | None, abandoned: Event | None, **kwargs: Any) -> None:
        self._extra: dict[str, Any] = {} if context is None else {"ssl_context": context}
        self._pools = {} if abandoned is None else _pools(abandoned)
        super().__init__(**kwargs)

    def init_poolmanager(
        self,
        connections: int,
        maxsize: int,
        block: bool = DEFAULT_POOLBLOCK,  # noqa: FBT001  # the signature of requests
        **kwargs: Any,
    ) -> None:
        kwargs.update(self._extra)
        super().init_poolmanager(connections, maxsize, block, **kwargs)
        known = self.poolmanager.pool_classes_by_scheme  # shared by all managers: not changed
        self.poolmanager.pool_classes_by_scheme = {**known, **self._pools}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        kwargs.update(self._extra)
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, **self._pools}
        return manager


def _pools(abandoned: Event) -> dict[str, Any]:
    """Return classes of pools whose connections fail after ``abandoned`` is set.

    A slow name resolution or handshake may end after the deadline of a request. Without this
    check a write would then be sent, after its failure was reported.
    """

    def refuse() -> None:
        if abandoned.is_set():
            raise ConnectionAbortedError("The deadline of the request has passed.")

    def guarded(base: Any) -> type:
        class Guarded(base):  # type: ignore[misc]  # a class of urllib3, chosen by the scheme
            def connect(self) -> None:
                refuse()
                super().connect()
                refuse()

        return Guarded

    pools: dict[str, Any] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
    return {
        scheme: type(pool.__name__, (pool,), {"ConnectionCls": guarded(pool.ConnectionCls)})
        for scheme, pool in pools.items()
    }


def is_proxied(url: str, *, configured: Mapping[str, str | None]) -> bool:
    """Return whether requests would send a request for ``url`` through a proxy.

    A token must not be sent over plain http, even to this machine, if this is True:
    the proxy may be another machine.

    Args:
        url: The URL of the request.
        configured: Proxies of the session by scheme, such as conda's ``proxy_servers``.
            ``NO_PROXY`` does not apply to them (requests 2.32).
    """
    session = {scheme: proxy for scheme, proxy in configured.items() if proxy}
    environment = get_environ_proxies(url, no_proxy=session.get("no_proxy"))
    return any(select_proxy(url, proxies) for proxies in (environment, session))


class _Session(requests.Session):
    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a request, or one hop of its redirects."""
        if _is_plain_loopback(request.url or ""):
            kwargs["proxies"] = {}  # a proxy would see the token, which is not encrypted
        return super().send(request, **kwargs)

    def rebuild_auth(self, prepared_request: PreparedRequest, response: Response) -> None:
        """Remove ``Authorization`` from a request to another host; take none from ``~/.netrc``."""
        before, after = response.request.url or "", prepared_request.url or ""
        if self.should_strip_auth(before, after):  # type: ignore[no-untyped-call]  # not in stubs
            prepared_request.headers.pop("Authorization", None)


def _is_plain_loopback(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        return False
    try:
        return parts.hostname == "localhost" or ip_address(parts.hostname).is_loopback
    except ValueError:  # a name
        return False

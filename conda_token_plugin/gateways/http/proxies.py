"""Whether a request is sent through a proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from requests.utils import get_environ_proxies, select_proxy

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_proxied(url: str, *, configured: Mapping[str, str | None]) -> bool:
    """Return whether requests would send a request for ``url`` through a proxy.

    A token must not be sent over plain http, even to this machine, if the answer is yes:
    the proxy may be another machine.

    Args:
        url: The URL of the request.
        configured: Proxies of the session by scheme, such as conda's ``proxy_servers``.
            ``NO_PROXY`` does not apply to them (requests 2.32).
    """
    session = {scheme: proxy for scheme, proxy in configured.items() if proxy}
    environment = get_environ_proxies(url, no_proxy=session.get("no_proxy"))
    return any(select_proxy(url, proxies) for proxies in (environment, session))

"""The channels that conda is configured with, and requests through conda's own sessions.

Commands use this module; neither the hooks nor the handler import it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from conda import CondaError
from conda.base.context import context, reset_context
from conda.gateways.connection.session import get_session
from conda.models.channel import Channel

from conda_token_plugin.auth import handler
from conda_token_plugin.errors.input import MalformedURL
from conda_token_plugin.errors.service import ServiceUnreachable
from conda_token_plugin.gateways.http.client import Timeouts, exchange
from conda_token_plugin.gateways.http.network import CONDA_RESERVE
from conda_token_plugin.tokens.scope import without_credentials, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from requests import Response

    from conda_token_plugin.gateways.http.response import HttpResponse
    from conda_token_plugin.store.lookup import Lookup


def subdirs(names: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the URLs of ``noarch`` in the channels ``names``, or in the configured ones.

    The URLs contain the credentials that a channel's URL has, so they must not be shown.

    Raises:
        MalformedURL: conda cannot read one of the URLs, or takes it for a name.
    """
    reset_context()  # a process that is not `conda` has a context that has read no condarc
    found = (_subdirs(name) for name in tuple(names) or context.channels)
    return tuple(dict.fromkeys(url for urls in found for url in urls))


def _subdirs(name: str) -> list[str]:
    try:
        urls: list[str] = Channel(name).urls(with_credentials=True, subdirs=("noarch",))
    except ValueError:  # an incomplete IPv6 address, or a bad port
        raise MalformedURL(without_secrets(name), "conda cannot read it") from None
    if "://" not in name and any(without_secrets(url) != without_credentials(url) for url in urls):
        fault = "it has no https://, so conda would send its password to another server"
        raise MalformedURL(without_secrets(name), fault)
    return urls


class CondaSender:
    """Sends through the session that conda would use for the URL."""

    def __init__(self, lookup: Lookup) -> None:
        """Let the handler of this process use ``lookup``, whose settings have ``--at``."""
        handler.LOOKUP = lookup

    def get(self, url: str, *, max_bytes: int) -> HttpResponse:
        """Send with conda's timeouts, proxies, certificates and auth handlers.

        The whole request, with its repetitions, redirects and the body, has a total deadline.

        Raises:
            ServiceUnreachable: conda is offline, there was no response, or settings are wrong.
        """
        shown = without_secrets(url)
        if context.offline:  # the session raises different errors in different versions
            raise ServiceUnreachable(shown, reason="conda is offline", outcome="")
        connect, read = context.remote_connect_timeout_secs, context.remote_read_timeout_secs
        timeouts = Timeouts(connect=connect, read=read, total=connect + read + CONDA_RESERVE)
        return exchange(
            _opened(url, max_bytes=max_bytes, timeout=(connect, read)),
            url=shown,
            max_bytes=max_bytes,
            timeouts=timeouts,
            outcome="",
            of_conda=True,
        )


@contextmanager
def _opened(url: str, *, max_bytes: int, timeout: tuple[float, float]) -> Iterator[Response]:
    headers = {"Range": f"bytes=0-{max_bytes - 1}", "Accept-Encoding": "identity"}
    try:
        session = get_session(url)
        response = session.get(url, headers=headers, stream=True, timeout=timeout)
    except CondaError as error:  # settings contradict one another or need a missing library
        reason = " ".join(without_secrets(word) for word in str(error).split())
    else:
        with response:
            yield response
        return
    # Raised outside of the except block, so that it does not keep conda's error.
    raise ServiceUnreachable(without_secrets(url), reason=reason, outcome="")

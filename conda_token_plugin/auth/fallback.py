"""What conda does with a request that no token covers, and the internals of conda used for it.

conda gives a request to our handler because the drop-in says so, and then no longer applies its
own auth (netrc, binstar files, URL credentials, proxy prompt) or the handler of another plugin.
``send_without_plugin`` restores that. Everything that conda may remove (conda#13660) is used here
and nowhere else.
"""

from __future__ import annotations

from contextlib import contextmanager
from fnmatch import fnmatch
from functools import cache
from threading import local
from typing import TYPE_CHECKING, Any

from conda.base.context import Context, context
from conda.common.configuration import ParameterLoader
from conda.common.url import urlparse
from conda.gateways.connection.session import CondaHttpAuth, CondaSession
from conda.plugins.hookspec import CondaSpecs

from conda_token_plugin import HANDLER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda.plugins.types import ChannelAuthBase
    from requests import PreparedRequest

SESSIONS: type[CondaSession] = CondaSession
"""The class of the sessions that conda sends requests with."""
ASKS_FOR_HINTS = hasattr(CondaSpecs, "conda_error_hints")
"""Whether conda asks plugins for hints when a command fails (since 26.7)."""


def send_without_plugin(request: PreparedRequest, *, handler: ChannelAuthBase) -> PreparedRequest:
    """Prepare ``request`` as conda would if this plugin were not installed.

    Another plugin's handler is created once for each of ours, because it may read its
    configuration when it is created.
    """
    handlers: dict[str, Any] = handler.__dict__.setdefault("_fallbacks", {})
    name = other_handler(handler.channel_name, url=request.url or "")
    other = context.plugin_manager.get_auth_handler(name) if name else None
    if name is None or other is None:
        auth: Callable[..., PreparedRequest] = handlers.setdefault("", CondaHttpAuth())
        return auth(request)
    with entries_hidden():
        auth = handlers[name] = handlers.get(name) or other(handler.channel_name)
        return auth(request)


def other_handler(channel_name: str, *, url: str) -> str | None:
    """Return the handler that ``channel_settings`` names for ``url`` without our entries.

    The rules are those of ``conda.gateways.connection.session.get_session``:
    the canonical name or a glob of the same scheme, and the last match is used.
    """
    chosen = None
    for channel, handler in other_entries():
        if channel == channel_name or _matches(channel, url):
            chosen = handler
    return chosen


@cache
def other_entries() -> tuple[tuple[str, str], ...]:
    """Return channel and handler of each entry of ``channel_settings`` that is not ours."""
    entries = (
        (entry.get("channel", ""), entry.get("auth", "").strip())
        for entry in context.channel_settings
    )
    return tuple((channel, handler) for channel, handler in entries if handler != HANDLER)


def _matches(channel: str, url: str) -> bool:
    wanted, got = urlparse(channel), urlparse(url)
    return wanted.scheme == got.scheme and fnmatch(_location(got), _location(wanted))


def _location(parts: Any) -> str:
    """Return host, port and path, which conda matches; both are None for a name."""
    return f"{parts.netloc or ''}{parts.path or ''}"


class _ThisThread(local):
    """Thread-local, because other threads must still see our entries."""

    hidden = False


_THIS_THREAD = _ThisThread()


@contextmanager
def entries_hidden() -> Iterator[None]:
    """Hide our ``channel_settings`` entries in this thread while another handler runs.

    A handler may look up its own settings in the last entry that matches (anaconda-auth does,
    for ``auth_domain``), and for a channel of an expired token that entry is ours. So exact
    prefixes in the drop-in do not replace this.
    """
    _extend_loader()
    before, _THIS_THREAD.hidden = _THIS_THREAD.hidden, True
    try:
        yield
    finally:  # the request of another handler may have called yet another one
        _THIS_THREAD.hidden = before


class _FilteringLoader(ParameterLoader):  # type: ignore[misc]  # conda's types are skipped
    """Loads ``channel_settings``, within ``entries_hidden`` without our entries."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        value = super().__get__(instance, owner)
        if instance is None or not _THIS_THREAD.hidden:
            return value
        return tuple(entry for entry in value if entry.get("auth", "").strip() != HANDLER)


@cache
def _extend_loader() -> None:
    """Replace conda's loader once, and only when another plugin's handler is called."""
    Context.__dict__["channel_settings"].__class__ = _FilteringLoader

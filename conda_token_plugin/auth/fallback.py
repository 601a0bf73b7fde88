"""Which handler conda would have asked about a URL if ours were not there."""

from __future__ import annotations

from fnmatch import fnmatch
from functools import cache
from typing import TYPE_CHECKING

from conda.base.context import context
from conda.common.url import urlparse

from conda_token_plugin import HANDLER

if TYPE_CHECKING:
    from typing import Any


def other_handler(channel_name: str, *, url: str) -> str:
    """The handler that ``channel_settings`` names for ``url`` when ours are left out.

    The rules are those of ``conda.gateways.connection.session.get_session``:
    the canonical name or a glob of the same scheme, and the last match wins.
    """
    chosen = ""
    for channel, handler in others():
        if channel == channel_name or _globs(channel, url):
            chosen = handler
    return chosen


@cache
def others() -> tuple[tuple[str, str], ...]:
    """Channel and handler of each entry of ``channel_settings`` that is not ours, in order."""
    entries = (
        (entry.get("channel", ""), entry.get("auth", "").strip())
        for entry in context.channel_settings
    )
    return tuple((channel, handler) for channel, handler in entries if handler != HANDLER)


def _globs(channel: str, url: str) -> bool:
    wanted, got = urlparse(channel), urlparse(url)
    return wanted.scheme == got.scheme and fnmatch(_location(got), _location(wanted))


def _location(parts: Any) -> str:
    """Host, port and path: what conda matches; either is None where a name is no URL."""
    return f"{parts.netloc or ''}{parts.path or ''}"

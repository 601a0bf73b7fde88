"""The channel auth handler: puts a token into the requests for its channels.

conda gives a request to this handler because the owned drop-in says so, and then no longer applies
its own auth (netrc, binstar files, URL credentials, proxy prompt). So the handler composes:
a URL that no token covers is handled as if this plugin were not there.

Nothing here raises for a fault of ours: the request goes on without a token, and the fault is
said once. A 401 or 403 is left to conda, whose fallbacks (shards, zst, json) depend on it.
"""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from fnmatch import fnmatch
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from conda.base.context import context
from conda.gateways.connection.session import CondaHttpAuth
from conda.plugins.types import ChannelAuthBase

from conda_token_plugin.condarc import HANDLER
from conda_token_plugin.environment import Environment
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.lookup import Lookup, resolver
from conda_token_plugin.sending import address, header

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from requests import PreparedRequest, Response

    from conda_token_plugin.lookup import Found
    from conda_token_plugin.secret import Secret

log = logging.getLogger(__name__)


class TokenAuth(ChannelAuthBase):
    """Decides by the request's URL; ``channel_name`` can be ``defaults`` or a multichannel."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the token that covers the request's URL, or do what conda would have done."""
        covered = _covered(request.url or "")
        if covered is None:
            return _otherwise(self.channel_name, request)
        found, secret = covered
        request.url = address(request.url or "", token=found.token, secret=secret)
        value = header(found.token, secret=secret)
        if value is not None:
            request.headers["Authorization"] = value
        request.register_hook("response", _kept_in_scope(found))
        request.register_hook("response", CondaHttpAuth.handle_407)
        return request


@cache
def lookup() -> Lookup:
    """The resolver of this process; the stores are read when the first URL asks for them."""
    return resolver(Environment())


def _covered(url: str) -> tuple[Found, Secret] | None:
    """The token for ``url`` with its secret, unless it is known to be dead."""
    try:
        found = lookup().find(url)
        if found is None or not found.token.worth_trying(now=datetime.now(timezone.utc)):
            return None
        return found, found.secret()
    except TokenPluginError as error:  # a corrupt store, a locked keyring, a bad variable
        _said_once(str(error))
        return None


@cache
def _said_once(fault: str) -> None:
    log.warning("conda-token-plugin: requests go on without a token. %s", fault)


def _kept_in_scope(found: Found) -> Callable[..., Response]:
    """A response hook: a redirect out of the token's channels does not take the token along.

    requests drops ``Authorization`` when host or port change, not when only the path does.
    """

    def drop(response: Response, **_: Any) -> Response:
        if response.is_redirect:
            target = urljoin(response.url, response.headers["location"])
            other = _covered(target)
            if other is None or other[0].token.key != found.token.key:
                response.request.headers.pop("Authorization", None)
        return response

    return drop


def _otherwise(channel_name: str, request: PreparedRequest) -> PreparedRequest:
    """What the request would have been without this plugin."""
    name = _other_handler(channel_name, url=request.url or "")
    handler = context.plugin_manager.get_auth_handler(name) if name else None
    auth = CondaHttpAuth() if handler is None else handler(channel_name)
    composed: PreparedRequest = auth(request)
    return composed


def _other_handler(channel_name: str, *, url: str) -> str:
    """The handler that ``channel_settings`` names for ``url`` when ours are left out.

    The rules are those of ``conda.gateways.connection.session.get_session``:
    the canonical name or a glob of the same scheme, and the last match wins.
    """
    scheme, _, rest = url.partition("://")
    rest = rest.partition("?")[0]
    chosen = ""
    for entry in context.channel_settings:
        wanted = urlsplit(channel := entry.get("channel", ""))
        globs = wanted.scheme == scheme and fnmatch(rest, wanted.netloc + wanted.path)
        handler = entry.get("auth", "").strip()
        if (channel == channel_name or globs) and handler != HANDLER:
            chosen = handler
    return chosen

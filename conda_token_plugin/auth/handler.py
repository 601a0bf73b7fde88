"""The channel auth handler: puts a token into the requests for its channels.

conda gives a request to this handler because the owned drop-in says so, and then no longer applies
its own auth (netrc, binstar files, URL credentials, proxy prompt). So the handler composes:
a URL that no token covers is handled as if this plugin were not there.

Nothing here raises for a fault of ours: the request goes on without a token, and the fault is
said once. A 401 or 403 is left to conda, whose fallbacks (shards, zst, json) depend on it.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import cache, partial
from typing import TYPE_CHECKING

from conda import CondaError
from conda.base.context import context
from conda.gateways.connection.session import CondaHttpAuth, CondaSession
from conda.plugins.hookspec import CondaSpecs
from conda.plugins.types import ChannelAuthBase

from conda_token_plugin.plugin import REFUSED
from conda_token_plugin.settings import Settings
from conda_token_plugin.store.lookup import resolver
from conda_token_plugin.tokens.authorization import header

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from requests import PreparedRequest, Response

    from conda_token_plugin.store.lookup import Found, Lookup
    from conda_token_plugin.tokens.secret import Secret

LOOKUP: Lookup = resolver(Settings())
"""The resolver of this process; it reads the stores when the first URL asks for them."""
USED: dict[str, Found] = {}
"""The tokens that this process has sent, by key."""
MOST_DAYS = 100_000
"""As many as a setting of conda can mean; a ``timedelta`` takes no more than 10,000 times that."""


class TokenAuth(ChannelAuthBase):
    """Decides by the request's URL; ``channel_name`` can be ``defaults`` or a multichannel.

    conda makes one for every new URL, so it has no ``__init__`` of its own.
    """

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the token that covers the request's URL, or do what conda would have done."""
        url = request.url or ""
        covered = _covered(url)
        if covered is None:
            return _explained(self._otherwise(request))
        found, secret = covered
        USED[found.key] = found
        value = header(found, secret=secret)
        if value is None:
            _prepare_path()
        else:
            request.headers["Authorization"] = value
        request.register_hook("response", CondaHttpAuth.handle_407)
        request.register_hook("response", partial(_watched, found))
        return _explained(request)

    def _otherwise(self, request: PreparedRequest) -> PreparedRequest:
        """What the request would have been without this plugin.

        The other handler is made once: it may read its configuration when it is made.
        """
        from conda_token_plugin.auth.fallback import other_handler

        name = other_handler(self.channel_name, url=request.url or "")
        made: dict[str, Any] = self.__dict__.setdefault("_others", {})
        handler = context.plugin_manager.get_auth_handler(name) if name else None
        if handler is None:
            auth: Callable[..., PreparedRequest] = made.setdefault("", CondaHttpAuth())
            return auth(request)
        from conda_token_plugin.auth.alone import alone

        with alone():
            auth = made[name] = made.get(name) or handler(self.channel_name)
            return auth(request)


def warn_of_expiry() -> None:
    """Say once a day that a token that this process has sent will expire soon.

    And what the store had to have repaired to give it out.
    Nothing is said where the output is to be read by a program, or to be quiet.
    The command has done its work: it does not fail for this.
    """
    if context.json or context.quiet:
        return
    try:
        _warn_of_expiry()
    except Exception as fault:  # noqa: BLE001  # a bug of ours stops no conda command, and is said
        from conda_token_plugin.auth.mishaps import warn_once
        from conda_token_plugin.errors.input import BadInput

        if isinstance(fault, CondaError):  # the setting is no number
            warn_once(BadInput(str(fault)), so="nobody looks when tokens expire")
        else:
            warn_once(fault, so="it goes on")


def _warn_of_expiry() -> None:
    from conda_token_plugin.auth.notices import warning
    from conda_token_plugin.cli.output import Printer

    days = min(context.plugins.token_warn_days, MOST_DAYS)
    line = warning(
        [found.token for found in USED.values()],
        now=datetime.now(timezone.utc),
        within=timedelta(days=max(days, -MOST_DAYS)),
        folder=Settings().store_folder,
    )
    for said in filter(None, (*LOOKUP.notices, line)):
        Printer().warn(said)


@cache
def _prepare_path() -> None:
    """Once, and only where a token goes into the path: teach conda's sessions."""
    from conda_token_plugin.auth.path_adapter import send_in_path

    send_in_path(CondaSession, handler=TokenAuth, covered=_covered)


def _covered(url: str) -> tuple[Found, Secret] | None:
    """The token for ``url`` with its secret, unless it is known to be dead."""
    try:
        found = LOOKUP.find(url)
        if found is None or not found.worth_trying(now=datetime.now(timezone.utc)):
            return None
        return found, found.secret()
    except Exception as fault:  # noqa: BLE001  # a bug of ours stops no conda command, and is said
        from conda_token_plugin.auth.mishaps import warn_once

        warn_once(fault)
    return None


def _watched(found: Found, response: Response, **_: Any) -> Response:
    """A hook: look at a redirect and at a refusal; most responses are neither."""
    if response.is_redirect:
        from conda_token_plugin.auth.responses import keep_in_scope

        keep_in_scope(response, found=found, covered=_covered)
    elif response.status_code in REFUSED:
        from conda_token_plugin.auth.responses import note

        note(response)
    return response


def _explain(response: Response, **_: Any) -> Response:
    """A hook: put the reason of a refusal into its response."""
    if response.status_code in REFUSED:
        from conda_token_plugin.auth.responses import explain

        explain(response)
    return response


def _explained(request: PreparedRequest) -> PreparedRequest:
    """Have a refusal explained, by a conda that does not ask plugins for hints (before 26.7)."""
    if not hasattr(CondaSpecs, "conda_error_hints"):
        request.register_hook("response", _explain)
    return request

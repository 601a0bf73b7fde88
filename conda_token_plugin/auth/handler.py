"""The channel auth handler: adds the credential that covers it to each request.

A request for any other URL is sent as if this plugin were not installed (``fallback``).
No fault of ours raises: the request is sent without a token, and the fault is reported once.
The status of a response is never changed, because conda's fallback from shards to zst to JSON
depends on it.
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cache, partial
from typing import TYPE_CHECKING

from conda.base.context import context
from conda.plugins.types import ChannelAuthBase

from conda_token_plugin.auth.fallback import ASKS_FOR_HINTS, SESSIONS, send_without_plugin
from conda_token_plugin.auth.faults import faults_reported
from conda_token_plugin.settings import Settings
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.tokens.authorization import header

if TYPE_CHECKING:
    from typing import Any

    from requests import PreparedRequest, Response

    from conda_token_plugin.store.sources import Credential
    from conda_token_plugin.tokens.secret import Secret

LOOKUP = Lookup(Settings())
"""The lookup of this process; it reads the stores when the first URL needs them."""
USED: dict[str, Credential] = {}
"""The tokens and API keys that this process has sent, by key."""
REFUSALS, NOT_FOUND = (401, 403), 404


class TokenAuth(ChannelAuthBase):
    """Decides by the request's URL; ``channel_name`` can be ``defaults`` or a multichannel.

    conda creates one for every new URL, so it has no ``__init__`` of its own.
    """

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the token that covers the request's URL, or do what conda would have done."""
        url = request.url or ""
        covering = covered(url)
        if covering is None:
            return _explained(send_without_plugin(request, handler=self))
        credential, secret = covering
        USED[credential.key] = credential
        value = header(credential.token, secret=secret)
        if value is None:
            _send_path_tokens()
        else:
            request.headers["Authorization"] = value
        request.register_hook("response", partial(_watch, credential, url))
        return _explained(request)


def covered(url: str) -> tuple[Credential, Secret] | None:
    """Return the token or API key for ``url`` with its secret.

    One that is known to have expired is skipped. Over plain http, which is allowed to this machine
    only, a credential never goes through a proxy.
    """
    with faults_reported():
        credential = LOOKUP.usable(url, now=datetime.now(timezone.utc))
        if credential is not None:
            if url.startswith("http:"):
                _refuse_proxy(url)
            return credential, credential.secret()
    return None


def _refuse_proxy(url: str) -> None:
    """Raise if a request for ``url``, which is not encrypted, goes through a proxy.

    Raises:
        BadInput: it does.
    """
    from conda_token_plugin.gateways.http.session import is_proxied

    if is_proxied(url, configured=context.proxy_servers):
        from conda_token_plugin.errors.input import BadInput
        from conda_token_plugin.tokens.scope import without_secrets

        raise BadInput(
            f"{without_secrets(url)} is not encrypted and goes through a proxy.",
            hint="Add its host to NO_PROXY, or remove the proxy for http from proxy_servers.",
        )


@cache
def _send_path_tokens() -> None:
    """Extend conda's sessions once, and only if a token is sent in the path."""
    from conda_token_plugin.auth.path_adapter import send_in_path

    send_in_path(SESSIONS, handler=TokenAuth, covered=covered)


def _watch(credential: Credential, url: str, response: Response, **options: Any) -> Response:
    """Response hook: handle a refusal or a redirect of the request for ``url``."""
    if response.status_code in REFUSALS:
        from conda_token_plugin.auth.responses import repeated

        response, credential = repeated(response, sent=credential, lookup=LOOKUP, options=options)
        USED[credential.key] = credential
    if response.is_redirect:
        from conda_token_plugin.auth.responses import keep_in_scope

        keep_in_scope(response, credential=credential, covered=covered)
    elif response.status_code in REFUSALS:
        from conda_token_plugin.auth.responses import note

        note(response, requested=url, covered=covered)
    return response


def _explain(response: Response, **_: Any) -> Response:
    """Response hook: put the reason of a refusal, or of a channel's absence, into its response."""
    absent = response.status_code == NOT_FOUND and response.url.endswith("/noarch/repodata.json")
    if absent or response.status_code in REFUSALS:
        from conda_token_plugin.auth.responses import explain

        explain(response, lookup=LOOKUP)
    return response


def _explained(request: PreparedRequest) -> PreparedRequest:
    """Have a refusal explained by a conda that does not ask plugins for hints (before 26.7)."""
    if not ASKS_FOR_HINTS:
        request.register_hook("response", _explain)
    return request

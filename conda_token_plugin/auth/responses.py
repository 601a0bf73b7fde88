"""Response hooks for requests that were sent with a token.

Keeps the token in scope on redirects and records refusals. The hooks never raise and never change
the status of a response, because conda's fallback from shards to zst to JSON depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from conda_token_plugin.auth.notices import REFUSED_ELSEWHERE, faults_reported
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.authorization import redirect_target
from conda_token_plugin.tokens.scope import longest_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import Any

    from requests import Response

    from conda_token_plugin.store.held_token import HeldToken
    from conda_token_plugin.store.lookup import Lookup
    from conda_token_plugin.tokens.secret import Secret

    Covered = Callable[[str], "tuple[HeldToken, Secret] | None"]

REFUSAL = "the request continues, but the refusal was not recorded"


def keep_in_scope(redirect: Response, *, held: HeldToken, covered: Covered) -> None:
    """Remove the token from a ``redirect`` to a URL that this token does not cover.

    requests removes ``Authorization`` if host or port change, but not if only the path does.
    """
    other = covered(_target(redirect))
    if other is None or other[0].key != held.key:
        _remove_token(redirect)


def kept_within(prefixes: Container[str]) -> Callable[..., Response]:
    """Return a hook that does the same for our own requests: ``prefixes`` are the token's scope."""

    def judge(response: Response, **_: Any) -> Response:
        if response.is_redirect:
            if longest_prefix(_target(response), among=prefixes) is None:
                _remove_token(response)
            try:
                location = redirect_target(
                    response.headers["location"], url=response.url, prefixes=prefixes
                )
            except ValueError:  # not a URL, such as half an IPv6 address
                return response
            response.headers["location"] = location
        return response

    return judge


def note(refusal: Response, *, requested: str, covered: Covered) -> None:
    """Record a refusal of the request for the URL ``requested``.

    conda treats the refused file as absent for a week; the record lets the next change of the
    token clear that. A refusal by the host that a channel redirects to, such as storage with
    signed URLs, is not a refusal of the token, which was not sent there.
    """
    from conda_token_plugin.integrations.conda.caches import note_refused

    with faults_reported(REFUSAL):
        if refusal.url != requested and covered(refusal.url) is None:
            host = urlsplit(refusal.url).hostname or "another host"
            REFUSED_ELSEWHERE.update(dict.fromkeys(map(unquote, (requested, refusal.url)), host))
        else:
            note_refused(refusal.url, folder=Settings().store_folder)


def explain(refusal: Response, *, lookup: Lookup) -> None:
    """Put the reason where conda reads an error's message from, the JSON body.

    Not for zst and shards, because conda then requests something else.
    """
    if refusal.url.endswith(".zst"):
        return
    from conda_token_plugin.auth.error_hints import reason

    with faults_reported("the refusal is not explained"):
        found = reason(refusal.url, status=refusal.status_code, headers=refusal.headers, by=lookup)
        if found is not None:
            body = {"message": found.text.replace("%", "%%")}  # conda formats it once more
            refusal.json = lambda **_: body  # type: ignore[method-assign]  # for conda to read


def _remove_token(response: Response) -> None:
    for one in (response, *response.history):
        one.request.headers.pop("Authorization", None)


def _target(response: Response) -> str:
    """Return where ``response`` redirects to, or "" if the location is not a URL."""
    try:
        return urljoin(response.url, response.headers["location"])
    except ValueError:  # half an IPv6 address
        return ""

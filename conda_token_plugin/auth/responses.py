"""What is done about a response to a request that had a token; conda is not needed for it.

Nothing here raises, and nothing changes what conda makes of a response: its fallbacks
(shards, zst, json) depend on the status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.scope import longest_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import Any

    from requests import Response

    from conda_token_plugin.store.lookup import Found
    from conda_token_plugin.tokens.secret import Secret


def keep_in_scope(
    redirect: Response, *, found: Found, covered: Callable[[str], tuple[Found, Secret] | None]
) -> None:
    """Have a ``redirect`` out of the token's channels not take the token along.

    requests drops ``Authorization`` when host or port change, not when only the path does.
    A proxy's 407 that was answered is in the history: the request that the redirect is made
    from is the one that got it.
    """
    other = covered(_target(redirect))
    if other is None or other[0].key != found.key:
        _send_no_token_on(redirect)


def kept_within(prefixes: Container[str]) -> Callable[..., Response]:
    """A hook that does the same for requests of our own: the token may go below ``prefixes``."""

    def drop(response: Response, **_: Any) -> Response:
        if response.is_redirect and longest_prefix(_target(response), among=prefixes) is None:
            _send_no_token_on(response)
        return response

    return drop


def note(refusal: Response) -> None:
    """Remember that what conda now takes for absent is to be asked for with another token."""
    from conda_token_plugin.integrations.conda.caches import note_refused

    note_refused(refusal.url, folder=Settings().store_folder)


def explain(refusal: Response) -> None:
    """Put the reason where conda takes an error's message from, the JSON body.

    For zst and shards conda has something else to fall back on: nothing is explained yet.
    """
    reason = "" if refusal.url.endswith(".zst") else _reason(refusal)
    if reason:
        body = {"message": reason.replace("%", "%%")}  # conda formats it once more
        refusal.json = lambda **_: body  # type: ignore[method-assign]  # for conda to read


def _send_no_token_on(response: Response) -> None:
    for one in (response, *response.history):
        one.request.headers.pop("Authorization", None)


def _target(response: Response) -> str:
    """Where ``response`` redirects to; "" where that cannot be told."""
    try:
        return urljoin(response.url, response.headers["location"])
    except ValueError:  # no URL: half an IPv6 address
        return ""


def _reason(response: Response) -> str:
    from conda_token_plugin.auth.error_hints import examiner

    try:
        diagnosis = examiner().examine(
            response.url, status=response.status_code, headers=response.headers
        )
    except Exception as bug:  # noqa: BLE001  # a bug of ours stops no conda command, and is said
        from conda_token_plugin.auth.mishaps import warn_once

        warn_once(bug)
        return ""
    return diagnosis.text if diagnosis else ""

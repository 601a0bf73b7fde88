"""What is done about a response to a request that had a token; conda is not needed for it.

Nothing here raises, and nothing changes what conda makes of a response: its fallbacks
(shards, zst, json) depend on the status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.gateways.http import redirects
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from conda_token_plugin.store.lookup import Found
    from conda_token_plugin.tokens.secret import Secret


def keep_in_scope(
    redirect: Response, *, found: Found, covered: Callable[[str], tuple[Found, Secret] | None]
) -> None:
    """Keep the token of ``found`` in its scope when conda follows ``redirect``."""

    def is_covered(url: str) -> bool:
        other = covered(url)
        return other is not None and other[0].key == found.key

    redirects.keep_in_scope(redirect, covers=is_covered)


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

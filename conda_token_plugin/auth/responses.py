"""Response hooks for requests that were sent with a token.

Keeps the token in scope on redirects and records refusals. The hooks never raise and never change
the status of a response, because conda's fallback from shards to zst to JSON depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from conda_token_plugin.auth.notices import REFUSED_ELSEWHERE, faults_reported
from conda_token_plugin.gateways.http import redirects
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from conda_token_plugin.store.held_token import HeldToken
    from conda_token_plugin.store.lookup import Lookup
    from conda_token_plugin.tokens.secret import Secret

    Covered = Callable[[str], "tuple[HeldToken, Secret] | None"]

REFUSAL = "the request continues, but the refusal was not recorded"


def keep_in_scope(redirect: Response, *, held: HeldToken, covered: Covered) -> None:
    """Keep the token ``held`` in its scope when conda follows ``redirect``."""

    def is_covered(url: str) -> bool:
        other = covered(url)
        return other is not None and other[0].key == held.key

    redirects.keep_in_scope(redirect, covers=is_covered)


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

"""Response hooks for requests that were sent with a token or an API key.

Repeats a refused request with the other credential for the same channel, keeps the credential in
scope on redirects, and records refusals. The hooks never raise and never change the status of
a response, because conda's fallback from shards to zst to JSON depends on it.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urlsplit

from requests.exceptions import RequestException

from conda_token_plugin.auth.faults import REFUSED_ELSEWHERE, faults_reported
from conda_token_plugin.gateways.http import redirects
from conda_token_plugin.gateways.http.response import REFUSED
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.authorization import PATH, header
from conda_token_plugin.tokens.scope import channel_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from requests import Response

    from conda_token_plugin.store.lookup import Lookup
    from conda_token_plugin.store.sources import Credential
    from conda_token_plugin.tokens.secret import Secret

    Covered = Callable[[str], "tuple[Credential, Secret] | None"]

REFUSAL = "the request continues, but the refusal was not recorded"
NOT_REPEATED = "the request was not repeated with the other credential"
_LOCKS: dict[str, Lock] = {}
"""By channel: held while a request is repeated, so that other threads wait for the result."""
_REPEATED: set[str] = set()
"""The channels in which a request was repeated."""


def repeated(
    refusal: Response,
    *,
    sent: Credential,
    lookup: Lookup,
    options: Mapping[str, Any],
) -> tuple[Response, Credential]:
    """Repeat a refused request with the other credential, once for each channel and process.

    If a provider supplied the refused credential and supplies another one now, that one is sent.

    If that works, the other credential is the first choice for the channel from then on. A request
    of another thread that was refused in the meantime is also repeated.

    Args:
        refusal: The response, 401 or 403.
        sent: The credential that was refused.
        lookup: The lookup of this process. ``accepted`` is changed here.
        options: The options that the request was sent with.

    Returns:
        The response to use, and the credential that it belongs to.
    """
    with faults_reported(NOT_REPEATED):
        known = tuple(lookup.candidates(refusal.url))
        # False after a redirect out of the scope: nothing is sent there.
        is_covered = any(one.key == sent.key for one in known)
        renewed = _with_new_secret(refusal, sent=sent, options=options) if is_covered else None
        if renewed is not None:
            return renewed, sent
        other = next((one for one in known if one.key != sent.key), None)
        if not is_covered or other is None or other.token.scheme == PATH:
            return refusal, sent
        channel, chosen = channel_of(refusal.url), lookup.accepted
        with _LOCKS.setdefault(channel, Lock()):
            if chosen.get(channel) == sent.key:
                return refusal, sent
            first = channel not in _REPEATED
            if not first and channel not in chosen:  # both were refused before
                return refusal, sent
            _REPEATED.add(channel)
            chosen[channel] = other.key
            response = _sent_again(refusal, credential=other, options=options)
            if response is None or (first and response.status_code in REFUSED):
                del chosen[channel]
        return (refusal, sent) if response is None else (response, other)
    return refusal, sent


def _with_new_secret(
    refusal: Response, *, sent: Credential, options: Mapping[str, Any]
) -> Response | None:
    """Repeat the request if the provider of ``sent`` supplies another credential now."""
    if sent.discard is None:
        return None
    refused = refusal.request.headers.get("Authorization")

    def was_refused(secret: Secret) -> bool:
        return header(sent.token, secret=secret) == refused

    sent.discard(was_refused)
    return (
        None
        if was_refused(sent.secret())
        else _sent_again(refusal, credential=sent, options=options)
    )


def _sent_again(
    refusal: Response, *, credential: Credential, options: Mapping[str, Any]
) -> Response | None:
    """Send the request of ``refusal`` with ``credential``; None without a response.

    The request itself is changed, because requests copies it for a redirect. The rest is what
    ``requests.auth.HTTPDigestAuth.handle_401`` does.
    """
    request = refusal.request
    value = header(credential.token, secret=credential.secret())
    before = request.headers.get("Authorization")
    request.headers["Authorization"] = value  # type: ignore[assignment]  # None: sent in the path
    refusal.content  # noqa: B018  # reads the rest, so that the connection can be used again
    refusal.close()
    try:
        response: Response = refusal.connection.send(request, **options)
    except RequestException:  # the connection was lost
        request.headers["Authorization"] = before  # type: ignore[assignment]  # as it was
        return None
    response.history.append(refusal)
    response.request = request
    return response


def keep_in_scope(redirect: Response, *, credential: Credential, covered: Covered) -> None:
    """Keep the token ``credential`` in its scope when conda follows ``redirect``."""

    def is_covered(url: str) -> bool:
        other = covered(url)
        return other is not None and other[0].key == credential.key

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
            urls = (requested, refusal.url)
            REFUSED_ELSEWHERE.update(dict.fromkeys(map(unquote_plus, urls), host))
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
        found = reason(
            refusal.url, status=refusal.status_code, headers=refusal.headers, lookup=lookup
        )
        if found is not None:
            body = {"message": found.text.replace("%", "%%")}  # conda formats it again
            refusal.json = lambda **_: body  # type: ignore[method-assign]  # for conda to read

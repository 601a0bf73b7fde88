"""Decide at each redirect whether the next request may contain the token.

requests removes ``Authorization`` when a redirect leads to another scheme, host or port, but not
when only the path differs, and it never removes a token from a path. This module compares each
target with the token's scope, for conda's requests and for the plugin's own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from conda_token_plugin.tokens.authorization import with_segment, without_segment
from conda_token_plugin.tokens.scope import longest_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import Any

    from requests import Response

NOWHERE = "about:invalid"
"""The target of a redirect whose address cannot be read."""


def keep_in_scope(redirect: Response, *, covers: Callable[[str], bool]) -> None:
    """Remove the token from the next request if the target is outside of the token's scope.

    A request with the token in its path takes it along to a target inside of the scope.

    Args:
        redirect: A response of 3xx with a ``Location``.
        covers: Returns whether the token's scope contains a URL, which has no token in it.
    """
    target = joined(redirect.url, redirect.headers["Location"])
    before, token = _path_token(redirect.url)
    plain = without_segment(target, value=unquote(token)) if token else target
    if not covers(plain):
        # After a response 407, requests builds the next request from the first one in `history`.
        for response in (redirect, *redirect.history):
            response.request.headers.pop("Authorization", None)
        if plain != target:
            redirect.headers["Location"] = plain
    elif token:
        redirect.headers["Location"] = with_segment(plain, before=before, segment=token)


def scope_hook(prefixes: Container[str]) -> Callable[..., Response]:
    """Return a response hook for a token whose scope is ``prefixes``."""

    def hook(response: Response, **_: Any) -> Response:
        if response.is_redirect:
            keep_in_scope(
                response, covers=lambda url: longest_prefix(url, among=prefixes) is not None
            )
        return response

    return hook


def joined(url: str, location: str) -> str:
    """Return the address that a redirect of ``url`` to ``location`` leads to."""
    try:
        return urljoin(url, location)
    except ValueError:  # an incomplete IPv6 address
        return NOWHERE


def _path_token(url: str) -> tuple[str, str]:
    """Return the path before ``/t/TOKEN/`` and the escaped token; the token is empty without it."""
    found = re.match(r"(.*?)/t/([^/]+)/", urlsplit(url).path)
    return (found[1], found[2]) if found else ("", "")

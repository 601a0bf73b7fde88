"""What the service itself says about an error, in a response of 4xx."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from conda_token_plugin.errors.service import ServiceError

if TYPE_CHECKING:
    from conda_token_plugin.gateways.http.response import HttpResponse

UNAUTHORIZED, FORBIDDEN = 401, 403
MAX_REASON = 200
"""Characters of the service's own text that are shown."""


def is_about_login(response: HttpResponse) -> bool:
    """Return whether a response is 401, or 403 with ``{"error": {"code": "auth_required"}}``."""
    refused = response.status == FORBIDDEN and b'"auth_required"' in response.body
    return response.status == UNAUTHORIZED or refused


def reason_of(response: HttpResponse) -> str:
    """Return the service's own text about an error as one line, or an empty string.

    Known forms: ``error.message``, ``error.detail``, ``message``, ``detail``, and for a field that
    is missing or wrong ``{"detail": [{"loc": ["body", "expires_at"], "msg": …, "type": …}]}``.
    """
    try:
        body = response.json()
    except ServiceError:  # a web page, or nothing at all
        return ""
    outer: dict[str, Any] = body if isinstance(body, dict) else {}
    error = outer.get("error")
    inner: dict[str, Any] = error if isinstance(error, dict) else {}
    texts = (place.get(key) for place in (inner, outer) for key in ("message", "detail"))
    found = (_about_fields(text) if isinstance(text, list) else text for text in texts)
    return _line(next((text for text in found if isinstance(text, str) and text.strip()), ""))


def _about_fields(problems: list[Any]) -> str:
    """Return the documented form of a response 422 as text: ``body.expires_at: field required``."""
    known = [one for one in problems if isinstance(one, dict) and isinstance(one.get("msg"), str)]
    places = [one["loc"] if isinstance(one.get("loc"), list) else [] for one in known]
    lines = [f"{'.'.join(map(str, p))}: {one['msg']}" for p, one in zip(places, known, strict=True)]
    return "; ".join(lines)


def _line(text: str) -> str:
    """Return ``text`` without control characters and without anything as long as a token."""
    plain = "".join(c if c.isprintable() else " " for c in text[: 4 * MAX_REASON])
    words = (re.sub(r"[\w.-]{37,}", "…", word) for word in plain.split())
    short = " ".join(words).rstrip(".")
    return short if len(short) <= MAX_REASON else f"{short[: MAX_REASON - 1]}…"

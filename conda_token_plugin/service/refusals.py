"""Why an organization does not issue a token: read from the answer, then from what else is known.

The first row that fits:

| what is known                                                     | error               |
|-------------------------------------------------------------------|---------------------|
| the organization is not one of the login's                        | NoSuchOrganization  |
| the answer speaks of a cancelled subscription                     | SubscriptionOver    |
| the answer speaks of a seat                                       | NoSeat              |
| "who am I" says that the subscription's end has passed            | SubscriptionOver    |
| the account has no subscription with tokens for it                | IssueRefused        |
| a 403 that gives no reason                                        | NoSeat              |
| anything else                                                     | IssueRefused        |

With which status and words the service refuses is not documented, so the words only decide
where they are plain. The questions are asked after a refusal only: an issue costs one request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from conda_token_plugin.errors.organization import (
    IssueRefused,
    NoSeat,
    NoSuchOrganization,
    SubscriptionOver,
)
from conda_token_plugin.errors.service import ServiceError

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.gateways.http.answer import HttpResponse
    from conda_token_plugin.service.client import Service

FORBIDDEN = 403
LONGEST = 200
"""Characters of the service's own words that are shown."""


def refusal(
    organization: str, answer: HttpResponse, *, service: Service, now: datetime
) -> TokenPluginError:
    """The error that a refused issue is.

    Raises:
        LoginRefused: it turns out that the login is the reason.
    """
    reason = reason_of(answer)
    refused = IssueRefused(organization, status=answer.status, reason=reason)
    try:
        return _known(organization, refused, reason=reason, service=service, now=now)
    except ServiceError:  # a question more was too much for the service: the refusal stands
        return refused


def _known(
    organization: str, refused: IssueRefused, *, reason: str, service: Service, now: datetime
) -> TokenPluginError:
    mine = {item.slug: item for item in service.organizations()}
    if organization not in mine:
        return NoSuchOrganization(organization, known={s: mine[s].title for s in mine})
    cancelled = re.search(r"\bcancell?ed\b", reason, re.IGNORECASE) is not None
    if not cancelled and re.search(r"\bseats?\b", reason, re.IGNORECASE):
        return NoSeat(organization)
    ends = _end_of(organization, service=service)
    if cancelled or (ends is not None and ends <= now):
        return SubscriptionOver(organization, ended=ends, cancelled=cancelled)
    if mine[organization].id not in service.subscribed():
        return refused
    return NoSeat(organization) if refused.status == FORBIDDEN and not reason else refused


def _end_of(organization: str, *, service: Service) -> datetime | None:
    memberships = service.whoami().memberships
    return next((m.subscription_ends for m in memberships if m.organization == organization), None)


def reason_of(answer: HttpResponse) -> str:
    """The service's own words, fit for one line of a terminal; empty when it gives none.

    Forms that were seen: ``error.message``, ``error.detail``, ``message``, ``detail``.
    """
    try:
        body = answer.json()
    except ServiceError:  # a page, or nothing at all
        return ""
    outer: dict[str, Any] = body if isinstance(body, dict) else {}
    error = outer.get("error")
    inner: dict[str, Any] = error if isinstance(error, dict) else {}
    said = (place.get(key) for place in (inner, outer) for key in ("message", "detail"))
    return _line(next((text for text in said if isinstance(text, str) and text.strip()), ""))


def _line(text: str) -> str:
    """``text`` without control characters and without anything as long as a token."""
    plain = "".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST])
    words = (re.sub(r"[\w.-]{37,}", "…", word) for word in plain.split())
    short = " ".join(words).rstrip(".")
    return short if len(short) <= LONGEST else f"{short[: LONGEST - 1]}…"

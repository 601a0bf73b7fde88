"""Find out why the service refused to issue a token.

The first row that applies:

| condition                                                         | error               |
|-------------------------------------------------------------------|---------------------|
| the organization is not one of the user's                         | NoSuchOrganization  |
| the response mentions a cancelled subscription                    | SubscriptionEnded    |
| the response mentions a seat                                      | NoSeat              |
| "who am I" gives an end of the subscription that has passed       | SubscriptionEnded    |
| the account has no subscription with tokens for the organization  | IssueRefused        |
| the status is 403 and the response gives no reason                | NoSeat              |
| otherwise                                                         | IssueRefused        |

The statuses and texts of refusals are not documented, so a text decides only where it is plain.
The service is asked further questions only after a refusal: issuing a token costs one request.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from conda_token_plugin.errors.organization import (
    IssueRefused,
    NoSeat,
    NoSuchOrganization,
    SubscriptionEnded,
)
from conda_token_plugin.errors.service import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.gateways.clock import Clock
    from conda_token_plugin.service.client import Service

FORBIDDEN = 403


@contextmanager
def explained(service: Service, *, clock: Clock) -> Iterator[None]:
    """Replace an ``IssueRefused`` of the block with the error that names its cause.

    The service is asked up to three questions after a refusal.

    Raises:
        LoginRefused: The service does not accept the login.
    """
    try:
        yield
    except IssueRefused as error:
        refused = error
    else:
        return
    try:
        cause = _cause(refused, service=service, clock=clock)
    except ServiceError:  # the service failed at one of the questions
        cause = refused
    raise cause


def _cause(refused: IssueRefused, *, service: Service, clock: Clock) -> TokenPluginError:
    organization, reason = refused.organization, refused.reason
    mine = {item.slug: item for item in service.organizations()}
    if organization not in mine:
        return NoSuchOrganization(organization, known={s: mine[s].title for s in mine})
    cancelled = re.search(r"\bcancell?ed\b", reason, re.IGNORECASE) is not None
    if not cancelled and re.search(r"\bseats?\b", reason, re.IGNORECASE):
        return NoSeat(organization)
    ends = _end_of(organization, service=service)
    if cancelled or (ends is not None and ends <= clock.now):
        return SubscriptionEnded(organization, ended=ends, cancelled=cancelled)
    if mine[organization].id not in service.subscribed():
        return refused
    return NoSeat(organization) if refused.status == FORBIDDEN and not reason else refused


def _end_of(organization: str, *, service: Service) -> datetime | None:
    memberships = service.whoami().memberships
    return next((m.subscription_ends for m in memberships if m.organization == organization), None)

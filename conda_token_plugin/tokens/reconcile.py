"""What the service and the repository say about a stored token, and what follows from it. Pure.

The first row that applies:

| service and repository                                               | outcome    |
|----------------------------------------------------------------------|------------|
| the repository refuses a token that the service does not know of     | revoked    |
| the service does not know of the token, and no channel can verify it | unknown    |
| there is no current token; the subscription ended a grace period ago | ended      |
| there is no current token; the subscription has ended                | cancelled  |
| there is no current token                                            | revoked    |
| the current token has another id, or the repository refuses ours     | reissued   |
| the subscription ended a grace period ago                            | ended      |
| the subscription has ended                                           | grace      |
| the token expires before the subscription does                       | extendable |
| the token expires later than was stored                              | extended   |
| otherwise                                                            | current    |

A token works for a grace period (``Token.grace``) after its subscription has ended, unless the
subscription was cancelled. So if there is no current token within that time, the subscription was
cancelled. The service does not know of site tokens. A token that the repository accepts is valid,
even if its dates have passed.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.tokens.token import ROUNDING, TokenKind, TokenVerdict

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.tokens.token import Token


class SyncOutcome(Enum):
    """The result of comparing a stored token with the service."""

    CURRENT = "up to date"
    EXTENDED = "extended"
    EXTENDABLE = "can be extended"
    GRACE = "in grace"
    REVOKED = "revoked"
    REISSUED = "reissued elsewhere"
    CANCELLED = "cancelled"
    ENDED = "ended"
    UNKNOWN = "unknown"

    @property
    def works(self) -> bool:
        """Whether a request with the token can succeed, as far as is known."""
        return self not in {*VERDICTS, SyncOutcome.ENDED}


VERDICTS = {
    SyncOutcome.REVOKED: TokenVerdict.REVOKED,
    SyncOutcome.REISSUED: TokenVerdict.REVOKED,
    SyncOutcome.CANCELLED: TokenVerdict.CANCELLED,
}


class SyncResult(NamedTuple):
    """The result for one token. Either ``outcome`` or ``error`` is None."""

    token: Token
    """With the metadata as they are known now."""
    outcome: SyncOutcome | None = None
    error: TokenPluginError | None = None
    member: str = ""
    """The email address of the token's owner; empty for a token that is stored here."""

    @property
    def works(self) -> bool:
        """Whether the comparison found that a request with the token can succeed."""
        return self.outcome is not None and self.outcome.works

    @property
    def word(self) -> str:
        """The result in one or two words."""
        return self.outcome.value if self.outcome else "not asked"


class Observation(NamedTuple):
    """What the service and the repository say about one token."""

    current_id: str | None = None
    """The id of the user's current token; None if there is none."""
    current_expires: datetime | None = None
    """When the current token expires; None if the service does not say."""
    tolerance_months: int | None = None
    """How long the current token works after that; None if the service does not say."""
    ends: datetime | None = None
    """When the organization's subscription ends; None if the service does not say."""
    accepted: bool | None = None
    """Whether the repository accepts the stored token; None if it was not verified."""


def needs_verification(token: Token, *, current_id: str | None) -> bool:
    """Return whether only the repository can tell if the stored token is the current one.

    The service does not return an id when it issues a token, so the id is learnt here.
    """
    return token.kind is not TokenKind.INDIVIDUAL or (current_id is not None and not token.id)


def synced(token: Token, *, seen: Observation, now: datetime) -> tuple[Token, SyncOutcome]:
    """Return the updated metadata of ``token`` and the outcome, by the table above."""
    if seen.tolerance_months is not None:
        token = token._replace(tolerance_months=seen.tolerance_months)
    outcome = _outcome(token, seen=seen, now=now)
    known = token._replace(
        checked=now,
        verified=now if seen.accepted else token.verified,
        verdict=VERDICTS.get(outcome, TokenVerdict.GOOD),
        subscription_ends=seen.ends or token.subscription_ends,
    )
    if seen.current_id is None or not outcome.works:
        return known, outcome
    return known._replace(id=seen.current_id, expires=_expiry(token, seen=seen)), outcome


def _outcome(token: Token, *, seen: Observation, now: datetime) -> SyncOutcome:
    individual = token.kind is TokenKind.INDIVIDUAL
    if not seen.accepted and not individual:
        return SyncOutcome.UNKNOWN if seen.accepted is None else SyncOutcome.REVOKED
    over = seen.ends is not None and seen.ends <= now
    ended = seen.ends is not None and now - seen.ends >= token.grace and not seen.accepted
    if individual and seen.current_id is None:
        return (
            (SyncOutcome.ENDED if ended else SyncOutcome.CANCELLED) if over else SyncOutcome.REVOKED
        )
    if _is_another(token, seen=seen):
        return SyncOutcome.REISSUED
    if over:
        return SyncOutcome.ENDED if ended else SyncOutcome.GRACE
    return _by_expiry(token, seen=seen)


def _is_another(token: Token, *, seen: Observation) -> bool:
    if seen.accepted is False:
        return True
    return bool(seen.current_id and token.id and seen.current_id != token.id)


def _by_expiry(token: Token, *, seen: Observation) -> SyncOutcome:
    expires = _expiry(token, seen=seen)
    if expires is not None and seen.ends is not None and seen.ends - expires > ROUNDING:
        return SyncOutcome.EXTENDABLE
    reported = seen.current_expires
    if reported is not None and token.expires is not None and reported > token.expires:
        return SyncOutcome.EXTENDED
    return SyncOutcome.CURRENT


def _expiry(token: Token, *, seen: Observation) -> datetime | None:
    return seen.current_expires or token.expires

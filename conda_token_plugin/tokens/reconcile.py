"""What the service and the repository say of a stored token, and what follows from it. Pure.

The first row that fits:

| what they say                                                        | outcome    |
|----------------------------------------------------------------------|------------|
| the repository refuses the token, and the service has no say in it   | revoked    |
| the service has no say, and no channel is known to try the token on  | unknown    |
| there is no current token; the subscription ended 30 days ago        | ended      |
| there is no current token; the subscription has ended                | cancelled  |
| there is no current token                                            | revoked    |
| the current token has another id, or the repository refuses ours     | reissued   |
| the subscription ended 30 days ago                                   | ended      |
| the subscription has ended                                           | grace      |
| the token expires before the subscription does                       | extendable |
| the token expires later than we knew                                 | extended   |
| otherwise                                                            | current    |

A token outlives its subscription by 30 days, but not a cancelled one: so where there is none
in these days, it was cancelled. The service has no say in a site token: nothing asks for it.
What the repository takes is not over, whatever the dates say.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.tokens.token import ABOUT, GRACE, TokenKind, TokenVerdict

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.tokens.token import Token


class SyncOutcome(Enum):
    """What became of a stored token."""

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


class CurrentToken(NamedTuple):
    """A user's current token of an organization, without its value."""

    id: str
    expires: datetime | None
    """None if the service does not say."""


class Observation(NamedTuple):
    """What was found out about one token."""

    current: CurrentToken | None = None
    ends: datetime | None = None
    """The end of the organization's subscription; None: not said."""
    accepted: bool | None = None
    """Whether the repository takes the token; None: it was not tried."""


def must_be_tried(token: Token, *, current: CurrentToken | None) -> bool:
    """Whether only the repository can tell if the token that is stored is the current one.

    The service does not give a token's id when it issues one, so an id is learnt here.
    """
    return token.kind is not TokenKind.INDIVIDUAL or (current is not None and not token.id)


def synced(token: Token, *, seen: Observation, now: datetime) -> tuple[Token, SyncOutcome]:
    """The metadata of ``token`` brought up to date, and what became of it, by the table above."""
    outcome = _outcome(token, seen=seen, now=now)
    known = token._replace(
        checked=now,
        proven=now if seen.accepted else token.proven,
        verdict=VERDICTS.get(outcome, TokenVerdict.GOOD),
        subscription_ends=seen.ends or token.subscription_ends,
    )
    if seen.current is None or not outcome.works:
        return known, outcome
    return known._replace(id=seen.current.id, expires=_expiry(token, seen=seen)), outcome


def _outcome(token: Token, *, seen: Observation, now: datetime) -> SyncOutcome:
    individual = token.kind is TokenKind.INDIVIDUAL
    if not seen.accepted and not individual:
        return SyncOutcome.UNKNOWN if seen.accepted is None else SyncOutcome.REVOKED
    over = seen.ends is not None and seen.ends <= now
    dead = seen.ends is not None and now - seen.ends >= GRACE and not seen.accepted
    if individual and seen.current is None:
        return (
            (SyncOutcome.ENDED if dead else SyncOutcome.CANCELLED) if over else SyncOutcome.REVOKED
        )
    if _is_another(token, seen=seen):
        return SyncOutcome.REISSUED
    if over:
        return SyncOutcome.ENDED if dead else SyncOutcome.GRACE
    return _by_expiry(token, seen=seen)


def _is_another(token: Token, *, seen: Observation) -> bool:
    if seen.accepted is False:
        return True
    return bool(seen.current and token.id and seen.current.id != token.id)


def _by_expiry(token: Token, *, seen: Observation) -> SyncOutcome:
    expires = _expiry(token, seen=seen)
    if expires is not None and seen.ends is not None and seen.ends - expires > ABOUT:
        return SyncOutcome.EXTENDABLE
    if expires is not None and token.expires is not None and expires > token.expires:
        return SyncOutcome.EXTENDED
    return SyncOutcome.CURRENT


def _expiry(token: Token, *, seen: Observation) -> datetime | None:
    said = seen.current.expires if seen.current else None
    return said or token.expires

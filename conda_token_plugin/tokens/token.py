"""What is known of a token, without the token; and the state that follows from it. Pure.

The state of a token at ``now``, first row that fits:

| what is known                                              | state       |
|------------------------------------------------------------|-------------|
| the service said it is revoked or reissued elsewhere       | revoked     |
| the service said the subscription is cancelled             | cancelled   |
| no expiry is known                                         | unknown     |
| dies <= now (see ``Token.dies``)                           | expired     |
| subscription ended <= now                                  | grace       |
| expires - now <= 14 days (``WARN_BEFORE``)                 | expiring    |
| otherwise                                                  | valid       |

Tokens are set to expire when their subscription does, and go on working for 30 days after that;
when it is cancelled they die at once, and a renewal does not extend them
(docs.anaconda.com, "Issuing and setting your token" and "Synchronizing your token").
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

WARN_BEFORE = timedelta(days=14)
GRACE = timedelta(days=30)
"""How long a token works after its subscription ended."""
ABOUT = timedelta(days=1)
"""Two ends that are not farther apart are one: the service rounds them as it likes."""
TRUST_METADATA_FOR = timedelta(days=1)
"""Metadata older than this may be wrong: a token known to be expired is tried all the same."""


class TokenKind(Enum):
    """Whose token it is."""

    INDIVIDUAL = "individual"
    SITE = "site"
    UNKNOWN = "unknown"


class AuthScheme(str, Enum):
    """How a token is put into a request, see ``sending``; part of its scope."""

    TOKEN = "token"  # noqa: S105  # the name of a scheme, not a token
    BEARER = "bearer"
    BASIC = "basic"
    PATH = "path"


class TokenVerdict(Enum):
    """What the service last said of a token."""

    GOOD = "good"
    REVOKED = "revoked"
    CANCELLED = "cancelled"


class State(Enum):
    """What a token is worth now; the table is in the module's docstring."""

    VALID = "valid"
    EXPIRING = "expiring"
    GRACE = "grace"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    UNKNOWN = "unknown"

    @property
    def usable(self) -> bool:
        """Whether a request with the token can succeed, as far as is known."""
        return self not in {State.EXPIRED, State.CANCELLED, State.REVOKED}


class Token(NamedTuple):
    """The metadata of one token. All times are aware and UTC. Always made with keywords.

    Not a dataclass, because commands wait for this module, and a request that needs metadata:
    making a frozen, slotted one takes 2.0 ms, making this 0.3 (Python 3.11).
    """

    organization: str
    kind: TokenKind
    scope: tuple[str, ...]
    """Normalised prefixes (see ``channels``) that the token may be sent to."""
    way: AuthScheme = AuthScheme.TOKEN
    username: str = ""
    """Only for ``AuthScheme.BASIC``."""
    id: str = ""
    """The service's identifier of the token; never the token."""
    last_four: str = ""
    issued: datetime | None = None
    expires: datetime | None = None
    subscription_ends: datetime | None = None
    checked: datetime | None = None
    """When the service was last asked about it."""
    proven: datetime | None = None
    """When the repository last accepted it; None: stored without proof."""
    verdict: TokenVerdict = TokenVerdict.GOOD
    channels: tuple[str, ...] = ()
    """Channel URLs that conda's ``channels`` gets while the token is stored."""
    default_channels: tuple[str, ...] = ()
    """Channel URLs that replace conda's ``default_channels`` while the token is stored."""
    home: str = ""
    """The first prefix that the token was stored with, if ``without`` has removed one since."""

    @property
    def key(self) -> str:
        """Identify the token in the store: ``acme@https://host/repo/acme``.

        The organization and the first prefix that the token was stored with. The key stays the
        same when the token loses prefixes to another organization.
        """
        return f"{self.organization}@{self.home or next(iter(self.scope), '')}"

    def without(self, prefixes: Collection[str]) -> Token:
        """Return the token with the same key, and a scope without ``prefixes``."""
        scope = tuple(prefix for prefix in self.scope if prefix not in prefixes)
        return self._replace(scope=scope, home=self.home or next(iter(self.scope), ""))

    def state(self, *, now: datetime) -> State:
        """The state at ``now``, by the table above."""
        if self.verdict is not TokenVerdict.GOOD:
            return State(self.verdict.value)
        if self.expires is None:
            return State.UNKNOWN
        if self.dies is not None and self.dies <= now:
            return State.EXPIRED
        if self.subscription_ends is not None and self.subscription_ends <= now:
            return State.GRACE
        return State.EXPIRING if self.expires - now <= WARN_BEFORE else State.VALID

    @property
    def dies(self) -> datetime | None:
        """When it stops working: 30 days after the subscription, if it was good until that ended.

        One that expires before the subscription does, as after a renewal without a sync,
        has no grace that anything speaks of.
        """
        ends = self.subscription_ends
        if self.expires is None or ends is None or ends - self.expires > ABOUT:
            return self.expires
        try:
            return ends + GRACE
        except OverflowError:  # a subscription without end: 9999-12-31
            return self.expires

    def end(self, *, now: datetime) -> datetime | None:
        """What its time runs to at ``now``: its expiry, and from then on its death.

        Grace is no time to count on: no token is issued in it.
        """
        over = self.state(now=now) in {State.GRACE, State.EXPIRED}
        return self.dies if over else self.expires

    def left(self, *, now: datetime) -> timedelta | None:
        """How long until its ``end``; negative when it is over, None when unknown."""
        end = self.end(now=now)
        return None if end is None else end - now

    def worth_trying(self, *, now: datetime) -> bool:
        """False only if it is known to be dead by metadata younger than a day."""
        if self.state(now=now).usable:
            return True
        return self.checked is None or now - self.checked > TRUST_METADATA_FOR

    def as_json(self) -> dict[str, Any]:
        """Plain values for the index and for ``--json``; what is optional and unset is left out."""
        plain = {name: _plain(value) for name, value in self._asdict().items()}
        return {name: value for name, value in plain.items() if value or name in _REQUIRED}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Token:
        """Undo ``as_json``; names that this version does not know are left out.

        Raises:
            KeyError, TypeError, ValueError: the entry is not one that ``as_json`` made.
        """
        known = [name for name in cls._fields if name in entry]
        return cls(**{name: _READERS.get(name, _text)(entry[name]) for name in known})


_TIMES = ("issued", "expires", "subscription_ends", "checked", "proven")
_REQUIRED = frozenset(Token._fields) - frozenset(Token._field_defaults)


def utc(text: str) -> datetime:
    """Read an ISO 8601 date and time; without an offset it is UTC, as the service means it.

    Accepts a blank for the ``T`` and a final ``Z`` (both seen in the service's answers).

    Raises:
        ValueError: it is no date and time.
    """
    text = text.strip()
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:  # the first or the last hours that there are, with an offset
        raise ValueError("the time is out of range") from None


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return "" if value in {AuthScheme.TOKEN, TokenVerdict.GOOD} else value.value
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text was expected")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return tuple(_text(item) for item in value)


_READERS: Mapping[str, Any] = {
    "kind": TokenKind,
    "way": AuthScheme,
    "verdict": TokenVerdict,
    "scope": _texts,
    "channels": _texts,
    "default_channels": _texts,
    **dict.fromkeys(_TIMES, lambda value: utc(_text(value))),
}

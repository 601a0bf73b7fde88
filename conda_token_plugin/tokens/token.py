"""The metadata of a token, without its secret, and its state. Pure.

The state of a token at ``now``; the first row that applies:

| metadata                                                   | state       |
|------------------------------------------------------------|-------------|
| the service said it is revoked or reissued elsewhere       | revoked     |
| the service said the subscription is cancelled             | cancelled   |
| no expiry is known                                         | unknown     |
| usable_until <= now                                        | expired     |
| subscription ended <= now                                  | grace       |
| expires - now <= 14 days (``WARN_BEFORE``)                 | expiring    |
| otherwise                                                  | valid       |

Tokens expire with their subscription, and work for another 30 days, or for the tolerance that an
administrator has set for the token.
If it is cancelled they stop working at once, and a renewal does not extend them
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
"""How long a token works after its subscription ended, unless the service says something else."""
MONTH = timedelta(days=30)
"""A month of ``expiration_tolerance_months``: the service does not say which months it counts."""
ROUNDING = timedelta(days=1)
"""Expiry times closer than this are treated as equal, because the service rounds them."""
TRUST_METADATA_FOR = timedelta(days=1)
"""Metadata older than this may be wrong: the token is then sent even if it has expired."""


class TokenKind(Enum):
    """The kind of owner of a token."""

    INDIVIDUAL = "individual"
    SITE = "site"
    API_KEY = "api-key"
    """The key of a login, which the channels of all organizations of its user accept."""
    PROVIDER = "provider"
    """What a command of the user supplies; see ``provider``."""
    UNKNOWN = "unknown"


class AuthScheme(str, Enum):
    """How a token is put into a request; see ``authorization``."""

    TOKEN = "token"  # noqa: S105  # the name of a scheme, not a token
    BEARER = "bearer"
    BASIC = "basic"
    PATH = "path"
    HEADER = "header"
    """The secret is the whole ``Authorization`` header, as a provider returned it."""


class TokenVerdict(Enum):
    """What the service last said about a token."""

    GOOD = "good"
    REVOKED = "revoked"
    CANCELLED = "cancelled"


class State(Enum):
    """The state of a token; the table is in the module's docstring."""

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
    """The metadata of one token. All times are aware and UTC. Created with keywords only.

    Not a dataclass, because commands wait for this module: to define a frozen, slotted dataclass
    takes 2.0 ms, this takes 0.3 ms (Python 3.11).
    """

    organization: str
    kind: TokenKind
    scope: tuple[str, ...]
    """Normalised prefixes (see ``scope``) that the token may be sent to."""
    scheme: AuthScheme = AuthScheme.TOKEN
    username: str = ""
    """Only for ``AuthScheme.BASIC``."""
    path_before: str = ""
    """Only for ``AuthScheme.PATH``: the path before ``/t/<token>``; empty if it comes first."""
    id: str = ""
    """The service's identifier of the token; never the token."""
    last_four: str = ""
    issued: datetime | None = None
    expires: datetime | None = None
    subscription_ends: datetime | None = None
    checked: datetime | None = None
    """When the token was last compared with the service."""
    verified: datetime | None = None
    """When the repository last accepted it; None if it was never verified."""
    verdict: TokenVerdict = TokenVerdict.GOOD
    channels: tuple[str, ...] = ()
    """Channel URLs that are added to conda's ``channels`` while the token is stored."""
    default_channels: tuple[str, ...] = ()
    """Channel URLs that replace conda's ``default_channels`` while the token is stored."""
    tolerance_months: int | None = None
    """How long it works after its subscription ended, in months; None: ``GRACE``."""
    home: str = ""
    """The first prefix that the token was stored with, if ``without`` has removed one since; for
    a provider, ``provider:`` and its scope."""

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
        """Return the state at ``now``, by the table above."""
        if self.verdict is not TokenVerdict.GOOD:
            return State(self.verdict.value)
        until = self.usable_until
        if self.expires is None or until is None:
            return State.UNKNOWN
        if until <= now:
            return State.EXPIRED
        if self.subscription_ends is not None and self.subscription_ends <= now:
            return State.GRACE
        return State.EXPIRING if self.expires - now <= WARN_BEFORE else State.VALID

    @property
    def usable_until(self) -> datetime | None:
        """When the token stops working: ``grace`` after the subscription has ended.

        A token that expires before the subscription, as after a renewal without a sync,
        has no such grace period.
        """
        ends, expires = self.subscription_ends, self.expires
        if ends is None or expires is None or ends - expires > ROUNDING:
            return expires
        try:
            return ends + self.grace
        except OverflowError:  # a subscription without end: 9999-12-31
            return expires

    @property
    def grace(self) -> timedelta:
        """How long the token works after its subscription ended."""
        months = self.tolerance_months
        return GRACE if months is None else months * MONTH

    def end(self, *, now: datetime) -> datetime | None:
        """Return the end date to show: ``expires``, or ``usable_until`` once that has passed."""
        over = self.state(now=now) in {State.GRACE, State.EXPIRED}
        return self.usable_until if over else self.expires

    def left(self, *, now: datetime) -> timedelta | None:
        """Return the time until ``end``, negative after it, or None if it is unknown."""
        end = self.end(now=now)
        return None if end is None else end - now

    def is_usable_or_stale(self, *, now: datetime) -> bool:
        """Return False only if metadata younger than a day say that it does not work.

        Metadata from the future show that the clock is or was wrong, so they do not count.
        """
        if self.state(now=now).usable:
            return True
        return self.checked is None or abs(now - self.checked) > TRUST_METADATA_FOR

    def as_json(self) -> dict[str, Any]:
        """Return plain values for the index and ``--json``, without optional unset ones."""
        plain = {name: _plain(value) for name, value in self._asdict().items()}
        return {n: value for n, value in plain.items() if value or value == 0 or n in _REQUIRED}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Token:
        """Return the token for the result of ``as_json``; unknown names are ignored.

        Raises:
            KeyError, TypeError, ValueError: ``as_json`` did not make the entry.
        """
        known = [name for name in cls._fields if name in entry]
        return cls(**{name: _READERS.get(name, _text)(entry[name]) for name in known})


MAX_MONTHS = 1200
"""Largest accepted tolerance; a longer one is an error of the service."""
_TIMES = ("issued", "expires", "subscription_ends", "checked", "verified")
_REQUIRED = frozenset(Token._fields) - frozenset(Token._field_defaults)


def utc(text: str) -> datetime:
    """Read an ISO 8601 date and time; without an offset it is UTC, as in the service.

    Accepts a space for the ``T`` and a final ``Z``, which the service sends.

    Raises:
        ValueError: it is not a date and time.
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


def _months(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_MONTHS:
        raise ValueError("a number of months was expected")
    return value


_READERS: Mapping[str, Any] = {
    "tolerance_months": _months,
    "kind": TokenKind,
    "scheme": AuthScheme,
    "verdict": TokenVerdict,
    "scope": _texts,
    "channels": _texts,
    "default_channels": _texts,
    **dict.fromkeys(_TIMES, lambda value: utc(_text(value))),
}

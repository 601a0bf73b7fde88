"""Organizations, subscriptions, members and tokens: values and rules, without state or clock.

The rules of a token's life are those of Anaconda's documentation ("Organization tokens"):

* "All newly issued tokens are set to expire when your organization's subscription expires":
  `Token.expires` is the subscription's end at the time of issue. It is what the API shows.
* Tokens stop working "either 30 days after the organization's subscription has ended or
  immediately if the subscription has been cancelled": `GRACE` and `verdict`.
* "Renewing your subscription does not automatically extend the lifespan of your token":
  a renewal moves `Subscription.ends` only, a sync copies it to `Token.expires`.

So a token works until its tolerance has passed since its own end or since the end of the
subscription, whichever is earlier. The tolerance is 30 days unless an administrator sets another
one for the token (`expiration_tolerance_months` of the admin API).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

GRACE = timedelta(days=30)
"""The tolerance of a token for which none was set."""

CHANNEL_SCOPE = "repo:read"
"""The scope with which channels accept an API key. Anaconda's clients request it at each login."""


class AccountKind(str, Enum):
    """The owner of a token: a user with a seat, or the organization."""

    INDIVIDUAL = "individual"
    SITE = "site"


class Standing(Enum):
    """The state of a subscription at a point in time."""

    ACTIVE = "active"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Verdict(Enum):
    """Whether the repository accepts a token at a point in time, and if not, why."""

    WORKS = "works"
    REVOKED = "revoked"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Subscription:
    """The product of an organization and the end of its subscription."""

    product_code: str
    ends: datetime
    cancelled: bool = False

    @property
    def grants_tokens(self) -> bool:
        """Whether the product includes tokens (from the source of anaconda-auth)."""
        return "starter" not in self.product_code

    def standing(self, now: datetime) -> Standing:
        """Return the state of the subscription at `now`."""
        if self.cancelled:
            return Standing.CANCELLED
        return Standing.ACTIVE if now < self.ends else Standing.ENDED

    def opens_channels(self, now: datetime) -> bool:
        """Whether channels can be opened at `now`: until the grace period has passed."""
        return not self.cancelled and now < self.ends + GRACE


@dataclass(frozen=True, slots=True)
class Organization:
    """A customer. `slug` never changes, `title` may. `seats` is the number that it has paid for."""

    id: UUID
    slug: str
    title: str
    subscription: Subscription
    site_only: bool = False
    seats: int = 5


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account."""

    id: UUID
    name: str

    @property
    def email(self) -> str:
        """An address in a domain that cannot exist (RFC 2606)."""
        return f"{self.name}@example.invalid"


@dataclass(frozen=True, slots=True)
class Member:
    """The role of a user in an organization."""

    role: str
    seat: bool


@dataclass(frozen=True, slots=True)
class Token:
    """A repository token. `user` is empty for a site token."""

    id: UUID
    value: str
    kind: AccountKind
    org: str
    user: str
    issued: datetime
    expires: datetime
    revoked: datetime | None = None
    tolerance_months: int | None = None

    @property
    def tolerance(self) -> timedelta:
        """How long the token works after its end. A month is taken as 30 days."""
        return GRACE if self.tolerance_months is None else self.tolerance_months * GRACE

    def verdict(self, subscription: Subscription, *, now: datetime) -> Verdict:
        """Return whether the token works at `now` under its organization's `subscription`."""
        if self.revoked is not None:
            return Verdict.REVOKED
        if subscription.cancelled:
            return Verdict.CANCELLED
        last = min(self.expires, subscription.ends) + self.tolerance
        return Verdict.WORKS if now < last else Verdict.EXPIRED


@dataclass(frozen=True, slots=True)
class Credential:
    """A bearer value: an API key, an access token, or the token of a service account."""

    value: str
    user: str
    expires: datetime
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A client of the admin API, with the rights of the administrator `user`."""

    client_id: str
    client_secret: str
    user: str

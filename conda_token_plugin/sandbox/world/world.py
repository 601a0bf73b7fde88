"""The state of the service, and the events that change it.

One lock guards the state, so that the threads of the server and a test may share a world.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from conda_token_plugin.sandbox.world.cast import FIRST_TOKENS, MEMBERS, organizations, users
from conda_token_plugin.sandbox.world.clock import Clock
from conda_token_plugin.sandbox.world.credentials import Credentials
from conda_token_plugin.sandbox.world.model import AccountKind, Member, Standing, User, Verdict
from conda_token_plugin.sandbox.world.register import Register

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from conda_token_plugin.sandbox.world.model import Organization, Subscription, Token

YEAR = timedelta(days=365)


class Refusal(Exception):
    """A rule of the service forbids the request."""

    def __init__(self, reason: str) -> None:
        """Take the reason.

        Args:
            reason: One of the names in `refusals.REFUSALS`.
        """
        super().__init__(reason)
        self.reason = reason


class World:
    """Organizations, their members and their tokens.

    Attributes:
        outbox: The tokens that were mailed to their users.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        """Start with the users and organizations of `cast`.

        Args:
            clock: The clock for all rules. Default: the real time.
        """
        self.clock = clock or Clock()
        self.tokens = Register()
        self.organizations: dict[str, Organization] = organizations(self.clock.now())
        self.users: dict[str, User] = users()
        self.members: dict[tuple[str, str], Member] = dict(MEMBERS)
        self.credentials = Credentials(self.clock, self.users.values())
        self.outbox: list[Token] = []
        self._lock = threading.RLock()
        for slug, user in FIRST_TOKENS:
            self._first_token(self.organizations[slug], user)

    # State.

    def user(self, name: str) -> User:
        """Return a user; refuse with `no_user` if there is none."""
        if name not in self.users:
            raise Refusal("no_user")
        return self.users[name]

    def api_key(self, user: str) -> str:
        """Return the API key that `user` has from the start."""
        return self.credentials.first_keys[self.user(user).name]

    def organization(self, slug: str) -> Organization:
        """Return an organization; refuse with `no_organization` if there is none."""
        with self._lock:
            if slug not in self.organizations:
                raise Refusal("no_organization")
            return self.organizations[slug]

    def member(self, slug: str, user: str) -> Member:
        """Return the membership of a user; refuse with `not_a_member` if there is none."""
        with self._lock:
            if (slug, user) not in self.members:
                raise Refusal("not_a_member")
            return self.members[slug, user]

    def organizations_of(self, user: str) -> list[Organization]:
        """Return the organizations that `user` is a member of."""
        with self._lock:
            return [org for slug, org in self.organizations.items() if (slug, user) in self.members]

    def issuable(self, user: str) -> list[str]:
        """Return the organizations for which `user` can issue a token now."""
        return [o.slug for o in self.organizations_of(user) if self._objection(o, user) is None]

    def opened_by(self, user: str) -> set[str]:
        """Return the organizations whose channels accept an API key of `user` now."""
        now = self.clock.now()
        open_now = (o for o in self.organizations_of(user) if o.subscription.opens_channels(now))
        return {org.slug for org in open_now if self.member(org.slug, user).seat}

    def current(self, slug: str, user: str = "") -> Token | None:
        """Return the token of `user` that works now, or the site token without a `user`."""
        theirs = self.tokens.of(slug, _kind_of(user), user)
        return next((token for token in theirs if self.verdict(token) is Verdict.WORKS), None)

    def verdict(self, token: Token) -> Verdict:
        """Return whether the repository accepts a token now, and if not, why."""
        subscription = self.organization(token.org).subscription
        return token.verdict(subscription, now=self.clock.now())

    # Events of tokens.

    def issue(
        self,
        slug: str,
        user: str = "",
        *,
        until: datetime | None = None,
        tolerance_months: int | None = None,
    ) -> Token:
        """Issue a token to `user`, or the site token without one. An earlier one is revoked.

        Args:
            slug: The organization.
            user: The owner of an individual token.
            until: When the token expires: at the end of the subscription at the latest.
            tolerance_months: How long the token works after its end. Default: 30 days.

        Raises:
            Refusal: `no_organization`, `starter`, `ended` or `cancelled`, and for an individual
                token `not_a_member`, `no_seat` or `site_only`.
        """
        with self._lock:
            organization = self.organization(slug)
            objection = self._objection(organization, user)
            if objection is not None:
                raise Refusal(objection)
            self._revoke_earlier(slug, user)
            ends, kind = organization.subscription.ends, _kind_of(user)
            expires = min(until or ends, ends)
            token = self.tokens.add(slug, kind, user, issued=self.clock.now(), expires=expires)
            return self.tokens.extend(token, expires, tolerance_months)

    def revoke(self, token_id: UUID) -> Token:
        """Revoke a token for good; refuse with `no_token` if there is none."""
        with self._lock:
            return self.tokens.revoke(self._token(token_id), self.clock.now())

    def sync(
        self, token_id: UUID, until: datetime | None = None, tolerance_months: int | None = None
    ) -> Token:
        """Extend a token to the end of its subscription, or to `until` if that is earlier.

        Args:
            token_id: The token.
            until: The new expiry. Default: the end of the subscription.
            tolerance_months: How long the token works after that. Default: as before.

        Raises:
            Refusal: `no_token`: there is none, or it has stopped working and must be reissued.
        """
        with self._lock:
            token = self._token(token_id)
            if self.verdict(token) is not Verdict.WORKS:
                raise Refusal("no_token")
            ends = self.organization(token.org).subscription.ends
            tolerance = token.tolerance_months if tolerance_months is None else tolerance_months
            return self.tokens.extend(token, min(until or ends, ends), tolerance)

    # Events of organizations.

    def renew(self, slug: str, until: datetime | None = None) -> Subscription:
        """Renew the subscription to `until` (default: a year from now). No token is extended."""
        return self._subscribe(slug, ends=until or self._second() + YEAR, cancelled=False)

    def end(self, slug: str, on: datetime | None = None) -> Subscription:
        """End the subscription at `on` (default: now). Its tokens work for 30 more days."""
        return self._subscribe(slug, ends=on or self._second(), cancelled=False)

    def cancel(self, slug: str) -> Subscription:
        """Cancel the subscription: it ends now, and its tokens stop at once."""
        return self._subscribe(slug, ends=self._second(), cancelled=True)

    def add_robot(self, slug: str) -> User:
        """Add a user without an email address and without a seat.

        Raises:
            Refusal: `no_organization`.
        """
        with self._lock:
            self.organization(slug)
            robot = User(uuid4(), f"robot-{len(self.users)}")
            self.users[robot.name] = robot
            self.members[slug, robot.name] = Member("member", seat=False)
            return robot

    def assign_seat(self, slug: str, user: str) -> None:
        """Give a member one of the seats that the organization has paid for.

        Raises:
            Refusal: `not_a_member`, `has_seat`, or `no_free_seat`.
        """
        with self._lock:
            if self.member(slug, user).seat:
                raise Refusal("has_seat")
            taken = sum(m.seat for (org, _), m in self.members.items() if org == slug)
            if taken >= self.organization(slug).seats:
                raise Refusal("no_free_seat")
            self.give_seat(slug, user)

    def give_seat(self, slug: str, user: str) -> None:
        """Give a member a seat. A token that was revoked with an earlier seat stays revoked."""
        with self._lock:
            self.members[slug, user] = replace(self.member(slug, user), seat=True)

    def take_seat(self, slug: str, user: str) -> None:
        """Take the seat of a member away and revoke the individual token."""
        with self._lock:
            self.members[slug, user] = replace(self.member(slug, user), seat=False)
            self._revoke_earlier(slug, user)

    def _objection(self, organization: Organization, user: str) -> str | None:
        """Return the first reason why no token can be issued now, or `None`."""
        standing = organization.subscription.standing(self.clock.now())
        member = self.members.get((organization.slug, user))
        objections = {
            "not_a_member": user and member is None,
            "site_only": user and organization.site_only,
            "no_seat": member is not None and not member.seat,
            "starter": not organization.subscription.grants_tokens,
            standing.value: standing is not Standing.ACTIVE,
        }
        return next((reason for reason, holds in objections.items() if holds), None)

    def _token(self, token_id: UUID) -> Token:
        token = self.tokens.get(token_id)
        if token is None:
            raise Refusal("no_token")
        return token

    def _revoke_earlier(self, slug: str, user: str) -> None:
        for token in self.tokens.of(slug, _kind_of(user), user):
            self.tokens.revoke(token, self.clock.now())

    def _subscribe(self, slug: str, *, ends: datetime, cancelled: bool) -> Subscription:
        with self._lock:
            organization = self.organization(slug)
            subscription = replace(organization.subscription, ends=ends, cancelled=cancelled)
            self.organizations[slug] = replace(organization, subscription=subscription)
            return subscription

    def _second(self) -> datetime:
        # Subscriptions end on a full second: the API shows no fractions.
        return self.clock.now().replace(microsecond=0)

    def _first_token(self, organization: Organization, user: str) -> None:
        kind, ends = _kind_of(user), organization.subscription.ends
        self.tokens.add(organization.slug, kind, user, issued=ends - YEAR, expires=ends)


def _kind_of(user: str) -> AccountKind:
    return AccountKind.INDIVIDUAL if user else AccountKind.SITE

"""The state of the service, and everything that can happen to it.

One lock guards the state, so that the server's threads and a test may share a world. Each method
is one event and is finished when it returns.
"""

from __future__ import annotations

import secrets
import string
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from .cast import FIRST_TOKENS, MEMBERS, organizations, users
from .clock import Clock
from .credentials import Credentials
from .model import Kind, Standing, Token, Verdict

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from .model import Member, Organization, Subscription, User

ALPHABET = string.ascii_letters + string.digits
YEAR = timedelta(days=365)


class Refusal(Exception):  # noqa: N818 -- an answer of the service, no error of ours
    """The service says no; `reason` is one of the names in `organizations.REFUSALS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class World:
    """Organizations, their members, and every token that was ever issued.

    Args:
        clock: Tells the time for every rule.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.lock = threading.RLock()
        self.organizations: dict[str, Organization] = organizations(self.clock.now())
        self.users: dict[str, User] = users()
        self.members: dict[tuple[str, str], Member] = dict(MEMBERS)
        self.tokens: dict[UUID, Token] = {}
        self.credentials = Credentials(self.clock, self.users.values())
        self._hand_out_first_tokens()

    # -- what is -----------------------------------------------------------------------------

    def api_key(self, user: str) -> str:
        """Return the API key that `user` has had since before the sandbox started."""
        return self.credentials.first_keys[user]

    def organization(self, slug: str) -> Organization:
        """Return an organization; refuse with `no_organization` if there is none."""
        with self.lock:
            if slug not in self.organizations:
                raise Refusal("no_organization")
            return self.organizations[slug]

    def organizations_of(self, user: str) -> list[Organization]:
        """Return the organizations that `user` is a member of."""
        with self.lock:
            return [org for slug, org in self.organizations.items() if (slug, user) in self.members]

    def has_seat(self, slug: str, user: str) -> bool:
        """Whether `user` is a member of the organization, with a seat."""
        with self.lock:
            member = self.members.get((slug, user))
            return member is not None and member.seat

    def opened_by(self, user: str) -> set[str]:
        """Return the organizations whose channels an API key of `user` opens now."""
        now = self.clock.now()
        open_now = (o for o in self.organizations_of(user) if o.subscription.opens_channels(now))
        return {org.slug for org in open_now if self.has_seat(org.slug, user)}

    def issuable(self, user: str) -> list[str]:
        """Return the organizations that `user` can issue a token for now."""
        return [o.slug for o in self.organizations_of(user) if self._objection(o, user) is None]

    def current(self, slug: str, user: str) -> Token | None:
        """Return the individual token of `user` that works now, if there is one."""
        return self._current(slug, Kind.INDIVIDUAL, user)

    def site_token(self, slug: str) -> Token | None:
        """Return the organization's site token that works now, if there is one."""
        return self._current(slug, Kind.SITE, "")

    def find(self, value: str) -> Token | None:
        """Return the token with this value, dead or alive."""
        with self.lock:
            return next((t for t in self.tokens.values() if t.value == value), None)

    def verdict(self, token: Token) -> Verdict:
        """Return what the repository thinks of a token now."""
        subscription = self.organization(token.org).subscription
        return token.verdict(subscription, now=self.clock.now())

    # -- what happens to tokens --------------------------------------------------------------

    def issue(self, slug: str, user: str) -> Token:
        """Issue an individual token; an earlier one dies at once.

        Raises:
            Refusal: `no_organization`, `not_a_member`, `starter`, `site_only`, `no_seat`,
                `ended` or `cancelled`.
        """
        with self.lock:
            return self._issue(self.organization(slug), Kind.INDIVIDUAL, user)

    def issue_site(self, slug: str) -> Token:
        """Issue the organization's site token, as an admin does; an earlier one dies at once.

        Raises:
            Refusal: `no_organization`, `starter`, `ended` or `cancelled`.
        """
        with self.lock:
            return self._issue(self.organization(slug), Kind.SITE, "")

    def revoke(self, token_id: UUID) -> Token:
        """Revoke a token for good; refuse with `no_token` if there is none."""
        return self._change(token_id, revoked=self.clock.now())

    def sync(self, token_id: UUID, until: datetime | None = None) -> Token:
        """Extend a token to its subscription's end, or to `until` if that is earlier.

        Raises:
            Refusal: `no_token`: there is none, or it has stopped working and needs a reissue.
        """
        with self.lock:
            token = self.tokens.get(token_id)
            if token is None or self.verdict(token) is not Verdict.WORKS:
                raise Refusal("no_token")
            ends = self.organization(token.org).subscription.ends
            return self._change(token_id, expires=min(until or ends, ends))

    # -- what happens to organizations -------------------------------------------------------

    def renew(self, slug: str, until: datetime | None = None) -> Subscription:
        """Let the subscription run to `until` (default: a year from now). No token is extended."""
        return self._subscribe(slug, ends=until or self._second() + YEAR, cancelled=False)

    def end(self, slug: str, on: datetime | None = None) -> Subscription:
        """Let the subscription end on `on` (default: now). Its tokens work for 30 days more."""
        return self._subscribe(slug, ends=on or self._second())

    def cancel(self, slug: str) -> Subscription:
        """Cancel the subscription: it ends now, and its tokens stop at once."""
        return self._subscribe(slug, ends=self._second(), cancelled=True)

    def give_seat(self, slug: str, user: str) -> None:
        """Give a member a seat. A token that died with the last seat stays dead."""
        self._seat(slug, user, seat=True)

    def take_seat(self, slug: str, user: str) -> None:
        """Take a member's seat away, and the individual token with it."""
        with self.lock:
            self._seat(slug, user, seat=False)
            self._revoke_earlier(slug, Kind.INDIVIDUAL, user)

    # -- how ---------------------------------------------------------------------------------

    def _current(self, slug: str, kind: Kind, user: str) -> Token | None:
        with self.lock:
            living = (t for t in self._of(slug, kind, user) if self.verdict(t) is Verdict.WORKS)
            return next(living, None)

    def _of(self, slug: str, kind: Kind, user: str) -> list[Token]:
        wanted = (slug, kind, user)
        return [t for t in self.tokens.values() if (t.org, t.kind, t.user) == wanted]

    def _issue(self, organization: Organization, kind: Kind, user: str) -> Token:
        objection = self._objection(organization, user)
        if objection is not None:
            raise Refusal(objection)
        self._revoke_earlier(organization.slug, kind, user)
        return self._store(organization, kind, user, issued=self.clock.now())

    def _objection(self, organization: Organization, user: str) -> str | None:
        """Return why no token can be issued to `user`, or to everybody if it is empty."""
        standing = organization.subscription.standing(self.clock.now())
        objections = {
            "not_a_member": user and (organization.slug, user) not in self.members,
            "site_only": user and organization.site_only,
            "no_seat": user and not self.has_seat(organization.slug, user),
            "starter": not organization.subscription.grants_tokens,
            standing.value: standing is not Standing.ACTIVE,
        }
        return next((reason for reason, holds in objections.items() if holds), None)

    def _store(
        self, organization: Organization, kind: Kind, user: str, *, issued: datetime
    ) -> Token:
        token = Token(
            id=uuid4(),
            value="".join(secrets.choice(ALPHABET) for _ in range(48)),
            kind=kind,
            org=organization.slug,
            user=user,
            issued=issued,
            expires=organization.subscription.ends,
        )
        self.tokens[token.id] = token
        return token

    def _revoke_earlier(self, slug: str, kind: Kind, user: str) -> None:
        for token in self._of(slug, kind, user):
            if token.revoked is None:
                self.revoke(token.id)

    def _change(self, token_id: UUID, **changes: datetime) -> Token:
        with self.lock:
            if token_id not in self.tokens:
                raise Refusal("no_token")
            changed = replace(self.tokens[token_id], **changes)  # type: ignore[arg-type]  # dates
            self.tokens[token_id] = changed
            return changed

    def _subscribe(self, slug: str, **changes: datetime | bool) -> Subscription:
        with self.lock:
            organization = self.organization(slug)
            subscription = replace(organization.subscription, **changes)  # type: ignore[arg-type]
            self.organizations[slug] = replace(organization, subscription=subscription)
            return subscription

    def _seat(self, slug: str, user: str, *, seat: bool) -> None:
        with self.lock:
            if (slug, user) not in self.members:
                raise Refusal("not_a_member")
            self.members[slug, user] = replace(self.members[slug, user], seat=seat)

    def _second(self) -> datetime:
        # Subscriptions end on a full second; the API shows no fractions.
        return self.clock.now().replace(microsecond=0)

    def _hand_out_first_tokens(self) -> None:
        for slug, user in FIRST_TOKENS:
            organization = self.organizations[slug]
            kind = Kind.INDIVIDUAL if user else Kind.SITE
            self._store(organization, kind, user, issued=organization.subscription.ends - YEAR)

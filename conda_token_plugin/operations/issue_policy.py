"""Decide whether ``install`` keeps the stored token, issues one, or replaces one.

Issuing a token revokes the one that the user has for the organization, on every machine.
So a script that runs each day must not issue a token each day. A token that another machine uses is
replaced only with ``--reissue``, or after a person was shown that token and agreed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.input import HeldElsewhere
from conda_token_plugin.errors.organization import NoSuchOrganization
from conda_token_plugin.errors.service import ServiceError, TokenRefused
from conda_token_plugin.operations.sync_tokens import TokenSync
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.service.refusals import explained
from conda_token_plugin.tokens.reconcile import SyncOutcome
from conda_token_plugin.tokens.repository_layout import organization_prefix
from conda_token_plugin.tokens.token import TokenKind, TokenVerdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from conda_token_plugin.gateways.clock import Clock
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.models import CurrentToken
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token

CONFIRMED_END = {SyncOutcome.CURRENT, SyncOutcome.EXTENDED}
"""Results that say that the token ends when the subscription does."""


class IssueAction(str, Enum):
    """What ``install`` does. The values are the ``action`` in its JSON output."""

    KEEP = "kept"
    ISSUE = "issued"
    REPLACE = "replaced"


class IssueConditions(NamedTuple):
    """When the user wants a token to be issued."""

    if_missing: bool = False
    """Only if no usable token is stored."""
    if_expiring: timedelta | None = None
    """Only if no usable token is stored that is valid for longer than this."""
    reissue: bool = False
    """Also if that revokes a token that is held elsewhere."""

    @property
    def conditional(self) -> bool:
        """Whether a stored token can be good enough."""
        return self.if_missing or self.if_expiring is not None


class IssuePlan(NamedTuple):
    """What to do for one organization, and what that would revoke."""

    organization: str
    action: IssueAction
    why: str
    stored: Token | None = None
    """The stored token of the organization."""
    current: CurrentToken | None = None
    """The token that the service would revoke."""
    stored_here: bool = False
    """Whether ``current`` is the stored token."""
    reissue: bool = False
    unattended: bool = False
    """Whether the user asked for a replacement of the stored token under a condition."""

    @property
    def needs_confirmation(self) -> bool:
        """Whether the user has to agree to the replacement."""
        replaces = self.action is IssueAction.REPLACE
        return replaces and not self.reissue and not (self.unattended and self.stored_here)


@dataclass(frozen=True, kw_only=True)
class IssuePolicy:
    """Makes plans. It issues nothing, and asks the user nothing.

    Attributes:
        store: Where the stored token is, and where the service's answers about it are stored.
        settings: The addresses of the service and the repository.
        clock: The current time.
        notice: Receives what the user should know.
        service: Returns the service; called only if it has to be asked.
    """

    store: Store
    settings: Settings
    clock: Clock
    notice: Callable[[str], None]
    service: Callable[[], Service]

    def plan(
        self, organization: str, *, conditions: IssueConditions, interrupted: bool = False
    ) -> IssuePlan:
        """Decide what to do for ``organization``.

        Args:
            organization: The name of the organization.
            conditions: When the user wants a token to be issued.
            interrupted: Whether an issue for the organization was interrupted, so that the current
                token may not be stored anywhere.

        Raises:
            HeldElsewhere: A conditional issue would revoke a token that is not stored here.
            LoginError, OrganizationError, ServiceError, StoreError: The service or the store
                could not be asked.
        """
        stored = stored_token(organization, store=self.store, settings=self.settings)
        keep, why = False, "it was requested"
        if conditions.conditional:
            stored, keep, why = self._evaluated(stored, within=conditions.if_expiring)
        if keep:
            return IssuePlan(organization, IssueAction.KEEP, why, stored=stored)
        service = self.service()
        with explained(service, clock=self.clock):
            current = service.current_token(organization)
        if current is None:
            return IssuePlan(organization, IssueAction.ISSUE, why, stored=stored)
        here = not conditions.reissue and self._is_stored(stored, current=current)
        if conditions.conditional and not (here or interrupted):
            raise HeldElsewhere(organization, id=current.id, expires=current.expires)
        return IssuePlan(
            organization,
            IssueAction.REPLACE,
            why,
            stored=stored,
            current=current,
            stored_here=here or interrupted,
            reissue=conditions.reissue,
            unattended=conditions.conditional,
        )

    def check_membership(self, organization: str) -> None:
        """Check that the user belongs to ``organization`` before a question is asked about it.

        Issuing a token reports this too, with the same error. A seat cannot be checked before.

        Raises:
            NoSuchOrganization: The user does not belong to it.
            LoginError, ServiceError: The service could not be asked.
        """
        titles = {one.slug: one.title for one in self.service().organizations()}
        if organization not in titles:
            raise NoSuchOrganization(organization, known=titles)

    def _evaluated(
        self, stored: Token | None, *, within: timedelta | None
    ) -> tuple[Token | None, bool, str]:
        """Return the stored token, whether it is kept, and why.

        If it is not good enough, the service is asked, because the stored metadata may be out of
        date: a token that was extended on the web page is valid for longer. And until the
        subscription is renewed, a new token expires on the same day.
        """
        why = reason_to_issue(stored, now=self.clock.now, within=within)
        if why is None:
            return stored, True, "it still works"
        if stored is None or stored.kind is not TokenKind.INDIVIDUAL:
            return stored, False, why
        sync = TokenSync(
            self.store,
            settings=self.settings,
            clock=self.clock,
            notice=self.notice,
            service=self.service(),
        )
        found = sync.result(stored)
        now, known = self.clock.now, found.token
        reason = reason_to_issue(known, now=now, within=within)
        if reason is None:
            extended = found.outcome is SyncOutcome.EXTENDED
            return known, True, "it was extended" if extended else "it still works"
        ends = known.subscription_ends
        if known.state(now=now).usable and ends and found.outcome in CONFIRMED_END:
            return known, True, "a new one would expire on the same day"
        return known, False, reason

    def _is_stored(self, stored: Token | None, *, current: CurrentToken) -> bool:
        """Return whether ``current`` is the stored token, as far as can be found out.

        The service does not give the ID of a token when it issues one. Until it is known,
        only the repository can tell: it refuses a token that was replaced.
        """
        if (
            stored is None
            or stored.kind is not TokenKind.INDIVIDUAL
            or stored.verdict is not TokenVerdict.GOOD
        ):
            return False
        if stored.id:
            return stored.id == current.id
        where, secret = places(stored, settings=self.settings), self.store.secret(stored.key)
        try:
            verify(where, token=stored, secret=secret)
        except TokenRefused:
            return False
        except ServiceError:  # it cannot be found out: the metadata says that it is
            return True
        return True


def stored_token(organization: str, *, store: Store, settings: Settings) -> Token | None:
    """Return the stored token for the organization's part of the repository, or None."""
    own = organization_prefix(settings.repo_url, organization)
    return next(
        (one for one in store.tokens() if one.organization == organization and own in one.scope),
        None,
    )


def reason_to_issue(
    stored: Token | None, *, now: datetime, within: timedelta | None = None
) -> str | None:
    """Return why a new token is needed, or ``None`` if the stored one is good enough.

    Args:
        stored: The stored token, if any.
        within: Minimum remaining lifetime. ``None`` accepts any unexpired token.
        now: Current time, aware, UTC.
    """
    if stored is None:
        return "none is stored"
    state = stored.state(now=now)
    if not state.usable:
        return f"the stored one is {state.value}"
    left = stored.left(now=now)
    if within is not None and left is not None and left <= within:
        return f"the stored one has {left.days} days left"
    return None

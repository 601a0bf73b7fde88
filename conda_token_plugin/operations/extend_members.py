"""Extend the tokens of an organization's members with an administrator's service account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.organization import ExtensionRefused
from conda_token_plugin.tokens.reconcile import SyncOutcome, SyncResult
from conda_token_plugin.tokens.token import GRACE, MONTH, ROUNDING, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from conda_token_plugin.service.admin import Admin, Member, MemberToken

TOLERANCE_MONTHS = GRACE // MONTH
"""Of a token whose grace period is not known: that of every token that a user issues."""


class Members:
    """The members whom a service account can see. Each organization is listed once."""

    def __init__(self, admin: Admin) -> None:
        """Do no I/O."""
        self._admin = admin
        self._listed: dict[str, tuple[Member, ...]] = {}

    def owner(self, token: Token) -> Member | None:
        """Return the member to whom ``token`` was issued, or None if its id is not listed.

        Raises:
            LoginRefused, ExtensionRefused, ServiceError: As ``Admin.members``.
        """
        members = self._of(token.organization) if token.id else ()
        return next((m for m in members if token.id in {one.id for one in m.tokens}), None)

    def extend(self, organization: str, *, user_id: str, token: Token | None) -> MemberToken:
        """Extend the current token of a member, and return it as it is listed afterwards.

        The grace period of ``token`` is kept.

        Raises:
            LoginRefused, ExtensionRefused, ServiceError: As ``Admin.extend``.
        """
        months = token.grace // MONTH if token else TOLERANCE_MONTHS
        self._admin.extend(organization, user_id=user_id, tolerance_months=months)
        listed = self._admin.tokens(organization, user_id=user_id)
        current = current_of(listed)
        if current is None:
            raise ExtensionRefused(organization, reason="the member has no token now")
        return current

    def extend_all(
        self, organization: str, *, ends: datetime | None, without: Collection[str]
    ) -> list[SyncResult]:
        """Extend the members' current tokens that expire before the subscription.

        The tokens with the ids in ``without`` are not extended. ``ends`` is the end of the
        subscription, or None if it is not known before the first extension.

        Raises:
            LoginRefused, ExtensionRefused, ServiceError: As ``Admin.members``.
        """
        results = list[SyncResult]()
        for member in self._of(organization):
            before = current_of(member.tokens)
            if before is None or before.id in without:
                continue
            if ends is not None and ends - before.expires <= ROUNDING:
                results.append(_result(organization, member, before, ends=ends))
                continue
            results.append(self._extended(organization, member, before))
            ends = results[-1].token.subscription_ends or ends
        return results

    def _extended(self, organization: str, member: Member, before: MemberToken) -> SyncResult:
        try:
            after = self.extend(organization, user_id=member.user_id, token=None)
        except ExtensionRefused as error:  # the token of the next member may be extended
            failed = _result(organization, member, before, ends=None)
            return failed._replace(outcome=None, error=error)
        result = _result(organization, member, after, ends=after.expires)
        is_later = after.expires > before.expires
        return result._replace(outcome=SyncOutcome.EXTENDED) if is_later else result

    def _of(self, organization: str) -> tuple[Member, ...]:
        if organization not in self._listed:
            self._listed[organization] = tuple(self._admin.members(organization))
        return self._listed[organization]


def current_of(tokens: Collection[MemberToken]) -> MemberToken | None:
    """Return the token that is not revoked, or None. A reissue revokes the previous token."""
    held = [token for token in tokens if not token.revoked]
    return max(held, key=lambda token: token.expires, default=None)


def _result(
    organization: str, member: Member, current: MemberToken, *, ends: datetime | None
) -> SyncResult:
    """Return the result for a member's token that was not extended."""
    token = Token(
        organization=organization,
        kind=TokenKind.INDIVIDUAL,
        scope=(),
        id=current.id,
        expires=current.expires,
        subscription_ends=ends,
    )
    return SyncResult(token=token, outcome=SyncOutcome.CURRENT, member=member.email)

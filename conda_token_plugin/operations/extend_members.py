"""Extend the tokens of an organization's members with an administrator's service account."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.organization import ExtensionRefused
from conda_token_plugin.tokens.token import ABOUT, GRACE, MONTH

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from conda_token_plugin.service.admin import Admin, Member, MemberToken
    from conda_token_plugin.tokens.token import Token

NOT_FOUND = 404
TOLERANCE_MONTHS = GRACE // MONTH
"""Of a token whose grace period is not known: that of every token that a user issues."""


class Extension(NamedTuple):
    """The result for the current token of one member."""

    email: str
    before: MemberToken
    after: MemberToken
    """The same as ``before`` if nothing was extended."""
    error: ExtensionRefused | None = None
    ends: datetime | None = None
    """The end of the subscription; None if it is not known."""


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

        Args:
            organization: The slug of the organization.
            user_id: The member.
            token: What is known of the token: its grace period is kept.

        Raises:
            LoginRefused, ExtensionRefused, ServiceError: As ``Admin.extend``.
        """
        months = token.grace // MONTH if token else TOLERANCE_MONTHS
        self._admin.extend(organization, user_id=user_id, tolerance_months=months)
        listed = self._admin.tokens(organization, user_id=user_id)
        current = current_of(listed)
        if current is None:
            raise ExtensionRefused(organization, status=NOT_FOUND, reason="it has no token now")
        return current

    def extend_all(
        self, organization: str, *, ends: datetime | None, without: Collection[str]
    ) -> list[Extension]:
        """Extend the members' current tokens that expire before the subscription.

        Args:
            organization: The slug of the organization.
            ends: The end of the subscription; None if it is not known before the first extension.
            without: The ids of tokens that are left as they are.

        Raises:
            LoginRefused, ExtensionRefused, ServiceError: As ``Admin.members``.
        """
        made = list[Extension]()
        for member in self._of(organization):
            before = current_of(member.tokens)
            if before is None or before.id in without:
                continue
            if ends is not None and ends - before.expires <= ABOUT:
                made.append(Extension(member.email, before, before, ends=ends))
                continue
            made.append(self._extension(organization, member, before))
            ends = made[-1].ends or ends
        return made

    def _extension(self, organization: str, member: Member, before: MemberToken) -> Extension:
        try:
            after = self.extend(organization, user_id=member.user_id, token=None)
        except ExtensionRefused as error:  # the token of the next member may be extended
            return Extension(member.email, before, before, error)
        return Extension(member.email, before, after, ends=after.expires)

    def _of(self, organization: str) -> tuple[Member, ...]:
        if organization not in self._listed:
            self._listed[organization] = tuple(self._admin.members(organization))
        return self._listed[organization]


def current_of(tokens: Collection[MemberToken]) -> MemberToken | None:
    """Return the token that is not revoked, or None. A reissue revokes the one before."""
    held = [token for token in tokens if not token.revoked]
    return max(held, key=lambda token: token.expires, default=None)

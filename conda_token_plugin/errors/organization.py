"""The service knows you, and the organization says no (exit code 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class OrganizationError(TokenPluginError):
    """The service knows you, and the organization says no."""

    exit_code = 4


class NoSuchOrganization(OrganizationError):
    """The login is not a member of such an organization."""

    def __init__(self, organization: str, *, known: Mapping[str, str]) -> None:
        """``known`` are the organizations of this login: slug to title. People type either."""
        from difflib import get_close_matches

        names = ", ".join(sorted(known))
        slugs = {name.casefold(): slug for slug in known for name in (known[slug], slug)}
        close = get_close_matches(organization.casefold(), slugs, n=1)
        super().__init__(
            f"This login belongs to no organization {organization!r}"
            + (f"; it belongs to: {names}." if names else " and to no other either."),
            hint=f"Did you mean: conda token install --org {slugs[close[0]]}" if close else "",
        )


class NoOrganization(OrganizationError):
    """The login belongs to no organization that it could issue a token for."""

    def __init__(self, *, member_of: Iterable[str] = ()) -> None:
        """``member_of``: organizations it belongs to, none of which has a subscription."""
        names = ", ".join(sorted(member_of))
        super().__init__(
            "This login can issue no token: it belongs to "
            + (f"{names}, without a subscription." if names else "no organization."),
            hint="Ask your organization's administrator for a seat, or for a site token.",
        )


class NoSeat(OrganizationError):
    """The organization has not assigned a seat to this user."""

    def __init__(self, organization: str) -> None:
        """Name the way out that needs no seat, too."""
        super().__init__(
            f"You have no seat in the organization {organization!r}, so no token was issued.",
            hint="Ask its administrator for a seat, or for a site token: "
            f"conda token install --site --org {organization}",
        )


class SubscriptionOver(OrganizationError):
    """The organization's subscription has ended or was cancelled."""

    def __init__(self, organization: str, *, ended: datetime | None, cancelled: bool) -> None:
        """``ended`` is when, where the service says so."""
        how = "was cancelled" if cancelled else "has ended"
        on = f" on {ended:%Y-%m-%d}" if ended else ""
        super().__init__(
            f"The subscription of the organization {organization!r} {how}{on}, "
            "so no token was issued.",
            hint="Ask its administrator to renew the subscription, then run this again.",
        )


class IssueRefused(OrganizationError):
    """The service refused to issue, for a reason of its own."""

    def __init__(self, organization: str, *, status: int, reason: str) -> None:
        """``reason`` is the service's own text, without line breaks and cut to a line."""
        self.status = status
        said = f" and says: {reason}" if reason else ""
        super().__init__(
            f"The service refused a token for {organization!r} (HTTP {status}){said}.",
            hint="Ask your organization's administrator.",
        )


class ExtensionRefused(OrganizationError):
    """The service did not let an administrator extend a token."""

    def __init__(self, organization: str, *, status: int, reason: str) -> None:
        """``reason`` is the service's own text, without line breaks and cut to a line."""
        said = f" and says: {reason}" if reason else ""
        super().__init__(
            f"The service did not extend the token of {organization!r} (HTTP {status}){said}.",
            hint="Check that the service account belongs to this organization.",
        )

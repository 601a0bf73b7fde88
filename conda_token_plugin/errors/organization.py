"""The service accepted the login, and the organization refused the request (exit code 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class OrganizationError(TokenPluginError):
    """The organization refused the request, or does not exist."""

    exit_code = 4


class NoSuchOrganization(OrganizationError):
    """The user is not a member of an organization of that name."""

    def __init__(self, organization: str, *, known: Mapping[str, str]) -> None:
        """Compose the message.

        Args:
            organization: The name that the user typed.
            known: The user's organizations: slug to title. Users type either.
        """
        from difflib import get_close_matches

        names = ", ".join(sorted(known))
        slugs = {name.casefold(): slug for slug in known for name in (known[slug], slug)}
        close = get_close_matches(organization.casefold(), slugs, n=1)
        super().__init__(
            f"You are not a member of an organization {organization!r}."
            + (f" Your organizations: {names}." if names else " You are not a member of any."),
            hint=f"Did you mean: conda token install --org {slugs[close[0]]}" if close else "",
        )


class NoOrganization(OrganizationError):
    """The user is not a member of an organization that issues tokens."""

    def __init__(self, *, member_of: Iterable[str] = ()) -> None:
        """Compose the message; ``member_of`` are organizations without a subscription."""
        names = ", ".join(sorted(member_of))
        super().__init__(
            "No token can be issued: "
            + (
                f"your organizations have no subscription with tokens: {names}."
                if names
                else "you are not a member of any organization."
            ),
            hint="Ask your organization's administrator for a seat, or for a site token.",
        )


class NoSeat(OrganizationError):
    """The organization has not assigned a seat to this user."""

    def __init__(self, organization: str) -> None:
        """Compose the message, with the alternative that needs no seat."""
        super().__init__(
            f"You have no seat in the organization {organization!r}, so no token was issued.",
            hint="Ask its administrator for a seat, or for a site token: "
            f"conda token install --site --org {organization}",
        )


class SubscriptionEnded(OrganizationError):
    """The organization's subscription has ended or was cancelled."""

    def __init__(self, organization: str, *, ended: datetime | None, cancelled: bool) -> None:
        """Compose the message; ``ended`` is None if the service did not say when."""
        how = "was cancelled" if cancelled else "has ended"
        on = f" on {ended:%Y-%m-%d}" if ended else ""
        super().__init__(
            f"The subscription of the organization {organization!r} {how}{on}, "
            "so no token was issued.",
            hint="Ask its administrator to renew the subscription, then run this command again.",
        )


class IssueRefused(OrganizationError):
    """The service refused to issue a token, for another reason."""

    def __init__(self, organization: str, *, status: int, reason: str) -> None:
        """Compose the message.

        Args:
            organization: The organization's slug.
            status: The HTTP status.
            reason: The service's own text, as one short line. Empty: it gave none.
        """
        self.organization = organization
        self.status = status
        self.reason = reason
        why = f": {reason}" if reason else ""
        super().__init__(
            f"The service refused to issue a token for {organization!r} (HTTP {status}){why}.",
            hint="Ask your organization's administrator.",
        )


class ExtensionRefused(OrganizationError):
    """The service did not let an administrator list or extend the tokens of members."""

    def __init__(
        self,
        organization: str,
        *,
        status: int = 0,
        reason: str,
        verb: str = "extend the token of",
        hint: str = "Check that the service account belongs to this organization.",
    ) -> None:
        """Compose the message; ``reason`` is as in ``IssueRefused``.

        Status 0: nothing was asked.
        """
        refusal = f"The service refused to {verb} {organization!r} (HTTP {status})"
        unasked = f"The token of {organization!r} was not extended"
        why = f": {reason}" if reason else ""
        super().__init__(f"{refusal if status else unasked}{why}.", hint=hint)

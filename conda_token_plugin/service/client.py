"""One login at one organization service: who it is, its organizations, its tokens.

Addresses and bodies as in anaconda-auth 0.15.3 and the public documentation.
What a refused issue means is not documented; ``refusal`` tells it from what else is known.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from conda_token_plugin.errors.login import LoginRefused
from conda_token_plugin.errors.organization import NoOrganization
from conda_token_plugin.errors.service import (
    AnswerLost,
    IssueUncertain,
    ServiceFault,
    ServiceNonsense,
)
from conda_token_plugin.gateways.http.client import Http, bearer
from conda_token_plugin.service.models import (
    CurrentToken,
    Identity,
    IssuedToken,
    JsonReader,
    Organization,
)
from conda_token_plugin.tokens.scope import segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.gateways.http.answer import HttpResponse
    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.tokens.secret import Secret

WITHOUT_TOKENS = "starter"
"""Part of the product codes that have no organization tokens (anaconda-auth 0.15.3)."""
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404


class Service:
    """One login at one service. Every method may raise ``LoginRefused`` and ``ServiceError``."""

    def __init__(
        self,
        url: str,
        *,
        api_key: Secret,
        source: str,
        patience: Timeouts | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        """Do no I/O. ``source`` says in words where the key was found."""
        self.url = url
        self.source = source
        self.date: datetime | None = None
        """When the service sent its last answer, by its own clock; None before the first."""
        self._clock = clock
        self._authorization = bearer(api_key)
        self._http = Http(patience=patience)

    def organizations(self) -> tuple[Organization, ...]:
        """The organizations that the login belongs to."""
        return tuple(Organization.of(item) for item in self._read("/api/organizations/my"))

    def issuable(self) -> tuple[Organization, ...]:
        """The organizations whose subscription has tokens: one or more.

        Raises:
            NoOrganization: there is none.
        """
        organizations = self.organizations()
        subscribed = self.subscribed() if organizations else frozenset()
        able = tuple(item for item in organizations if item.id in subscribed)
        if not able:
            raise NoOrganization(member_of=[item.slug for item in organizations])
        return able

    def subscribed(self) -> frozenset[str]:
        """Ids of the organizations that have a subscription with tokens."""
        return frozenset(
            item["org_id"].identifier
            for item in self._read("/api/account")["subscriptions"]
            if item["org_id"].value is not None and WITHOUT_TOKENS not in item["product_code"].text
        )

    def current_token(self, organization: str) -> CurrentToken | None:
        """The token that the user has of ``organization``; None when there is none.

        Raises:
            OrganizationError: the organization does not let the user know.
        """
        answer = self._send("GET", _token_path(organization))
        if answer.status == NOT_FOUND:
            return None
        if not answer.ok:
            raise self._refusal(organization, answer)
        return CurrentToken.of(_part(answer))

    def issue(self, organization: str) -> IssuedToken:
        """Issue a token; the one before it is revoked at once.

        Raises:
            OrganizationError: refused; which of them says why.
            IssueUncertain: it was asked for, and no token came back.
        """
        with _uncertain(organization, url=self.url + _token_path(organization)):
            answer = self._send("PUT", _token_path(organization), json={"confirm": "yes"})
            if answer.ok:
                return IssuedToken.of(_part(answer))
        raise self._refusal(organization, answer)

    def whoami(self) -> Identity:
        """Who the login is, with the organizations and the ends of their subscriptions."""
        identity = Identity.of(self._read("/api/auth/sessions/whoami"))
        if identity.email or identity.username:
            return identity
        # What is in a passport's profile is not documented; an account has both.
        return identity.named_by(self._read("/api/account")["user"])

    def _read(self, path: str) -> JsonReader:
        answer = self._send("GET", path)
        if answer.status == FORBIDDEN:
            raise self._login_refused()
        if not answer.ok:
            raise ServiceNonsense(answer.url, got=answer.nature)
        return _part(answer)

    def _send(self, method: str, path: str, *, json: object = None) -> HttpResponse:
        answer = self._http.send(
            method, self.url + path, authorization=self._authorization, json=json
        )
        self.date = _date(answer) or self.date
        if answer.status == UNAUTHORIZED or _is_about_login(answer):
            raise self._login_refused()
        return answer

    def _login_refused(self) -> LoginRefused:
        return LoginRefused(service=self.url, source=self.source)

    def _refusal(self, organization: str, answer: HttpResponse) -> TokenPluginError:
        if answer.elsewhere:
            return ServiceNonsense(answer.url, got=answer.nature)
        from conda_token_plugin.service.refusals import refusal

        return refusal(organization, answer, service=self, now=self._clock())


def _token_path(organization: str) -> str:
    return f"/api/organizations/{segment(organization)}/ce/current-token"


def _date(answer: HttpResponse) -> datetime | None:
    """Return the time in the header ``Date`` (RFC 9110, section 6.6.1), or None."""
    try:
        moment = parsedate_to_datetime(answer.headers.get("Date", ""))
        return moment.astimezone(timezone.utc) if moment.tzinfo else None
    except (TypeError, ValueError, IndexError, OverflowError):  # absent, or not a date
        return None


def _part(answer: HttpResponse) -> JsonReader:
    return JsonReader(answer.json(), answer.url)


def _is_about_login(answer: HttpResponse) -> bool:
    """Whether a 403 says ``{"error": {"code": "auth_required"}}``."""
    return answer.status == FORBIDDEN and b'"auth_required"' in answer.body


@contextmanager
def _uncertain(organization: str, *, url: str) -> Iterator[None]:
    """Say of an issue that failed half-way what may have become of it."""
    try:
        yield
    except AnswerLost:  # it may have arrived
        reason = "gave no answer"
    except ServiceFault as error:  # it may have failed after it had issued
        reason = f"failed (HTTP {error.status})"
    except ServiceNonsense:  # it said that it did, and the token is not in the answer
        reason = "gave an answer without a token"
    else:
        return
    raise IssueUncertain(url, organization=organization, reason=reason)

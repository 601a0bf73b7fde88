"""The organization service, as one logged-in user sees it.

Addresses and bodies are those of anaconda-auth 0.15.3 and of the public documentation.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from conda_token_plugin.errors.login import LoginRefused
from conda_token_plugin.errors.organization import IssueRefused, NoOrganization
from conda_token_plugin.errors.service import (
    IssueUncertain,
    ResponseLost,
    ServiceFault,
    UnexpectedResponse,
)
from conda_token_plugin.gateways.http.client import Http, bearer
from conda_token_plugin.service.error_responses import is_about_login, reason_of
from conda_token_plugin.service.models import (
    Identity,
    IssuedToken,
    JsonReader,
    Organization,
    current_token_of,
    document,
)
from conda_token_plugin.tokens.api_key import expiry_of
from conda_token_plugin.tokens.repository_layout import segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.gateways.http.response import HttpResponse
    from conda_token_plugin.service.models import CurrentToken
    from conda_token_plugin.tokens.secret import Secret

WITHOUT_TOKENS = "starter"
"""Part of the product codes that have no organization tokens (anaconda-auth 0.15.3)."""
FORBIDDEN, NOT_FOUND = 403, 404


class Service:
    """One login at one service. Every method may raise ``LoginRefused`` and ``ServiceError``."""

    def __init__(
        self, url: str, *, api_key: Secret, source: str, timeouts: Timeouts | None = None
    ) -> None:
        """Do no I/O.

        ``url`` has no final slash. ``source`` says where the key was found, for messages.
        """
        self.url = url
        self.source = source
        self.expires = expiry_of(api_key)
        """When the login expires; None if the key does not say."""
        self._authorization = bearer(api_key)
        self._http = Http(timeouts=timeouts)

    def organizations(self) -> tuple[Organization, ...]:
        """Return the organizations that the user belongs to."""
        return tuple(Organization.of(item) for item in self._read("/api/organizations/my"))

    def issuable(self) -> tuple[Organization, ...]:
        """Return the organizations whose subscription includes tokens: at least one.

        Raises:
            NoOrganization: There is none.
        """
        organizations = self.organizations()
        subscribed = self.subscribed() if organizations else frozenset()
        able = tuple(item for item in organizations if item.id in subscribed)
        if not able:
            raise NoOrganization(member_of=[item.slug for item in organizations])
        return able

    def subscribed(self) -> frozenset[str]:
        """Return the ids of the organizations whose subscription includes tokens."""
        return frozenset(
            item["org_id"].identifier
            for item in self._read("/api/account")["subscriptions"]
            if item["org_id"].value is not None and WITHOUT_TOKENS not in item["product_code"].text
        )

    def current_token(self, organization: str) -> CurrentToken | None:
        """Return the user's current token of ``organization``, or None if there is none.

        Raises:
            IssueRefused: The organization does not tell. ``refusals.explained`` names the cause.
            BadInput: No organization can have this name.
        """
        response = self._send("GET", _token_path(organization))
        if response.status == NOT_FOUND:
            return None
        if not response.ok:
            raise self._refusal(organization, response)
        return current_token_of(document(response))

    def issue(self, organization: str) -> IssuedToken:
        """Issue a token. The service revokes the previous one at once.

        Raises:
            IssueRefused: Nothing was issued. ``refusals.explained`` names the cause.
            IssueUncertain: The service was asked, and no token came back.
            BadInput: No organization can have this name.
        """
        with _uncertain(organization, url=self.url + _token_path(organization)):
            response = self._send("PUT", _token_path(organization), json={"confirm": "yes"})
            if response.ok:
                return IssuedToken.of(document(response))
        raise self._refusal(organization, response)

    def whoami(self) -> Identity:
        """Return the user, with the organizations and the ends of their subscriptions."""
        identity = Identity.of(self._read("/api/auth/sessions/whoami"))
        if identity.email or identity.username:
            return identity
        # The profile of a passport is not documented; an account has both names.
        return identity.named_by(self._read("/api/account")["user"])

    def _read(self, path: str) -> JsonReader:
        response = self._send("GET", path)
        if response.status == FORBIDDEN:
            raise self._login_refused(response)
        return document(response)

    def _send(self, method: str, path: str, *, json: object = None) -> HttpResponse:
        response = self._http.send(
            method, self.url + path, authorization=self._authorization, json=json
        )
        if is_about_login(response):
            raise self._login_refused(response)
        return response

    def _login_refused(self, response: HttpResponse) -> LoginRefused:
        over = self.expires and response.date and self.expires <= response.date
        expired = self.expires if over else None
        return LoginRefused(service=self.url, source=self.source, expired=expired)

    def _refusal(self, organization: str, response: HttpResponse) -> TokenPluginError:
        if response.redirect_target:
            return UnexpectedResponse(response.url, got=response.description)
        return IssueRefused(organization, status=response.status, reason=reason_of(response))


def _token_path(organization: str) -> str:
    return f"/api/organizations/{segment(organization)}/ce/current-token"


@contextmanager
def _uncertain(organization: str, *, url: str) -> Iterator[None]:
    """Replace errors after which the token may have been issued with ``IssueUncertain``."""
    try:
        yield
    except ResponseLost:  # the request may have arrived
        reason = "sent no response"
    except ServiceFault as error:  # it may have failed after it had issued the token
        reason = f"failed (HTTP {error.status})"
    except UnexpectedResponse:  # the status says that it was issued, but the token is not readable
        reason = "sent a response without a token"
    else:
        return
    raise IssueUncertain(url, organization=organization, reason=reason)

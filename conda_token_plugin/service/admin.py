"""Find and extend the tokens of an organization's members with an administrator's service account.

The bearer token lasts 900 seconds; id and secret of the account are traded for it (OAuth 2.0,
RFC 6749, 4.4). Calls and fields are those of Anaconda's OpenAPI document:
https://www.anaconda.com/docs/anaconda-platform/admin/org-management-api/org_management_api.json
With ``is_renewal``, a token expires when the subscription ends. A call without
``expiration_tolerance_months`` sets it to 0, so it is always sent. The response is not documented,
so the token is read again after it.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.login import LoginRefused
from conda_token_plugin.errors.organization import ExtensionRefused
from conda_token_plugin.errors.service import UnexpectedResponse
from conda_token_plugin.gateways.http import client
from conda_token_plugin.service.error_responses import is_about_login, reason_of
from conda_token_plugin.service.models import JsonReader
from conda_token_plugin.settings import SERVICE_ACCOUNT
from conda_token_plugin.tokens.repository_layout import segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.gateways.http.response import HttpResponse
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret

REJECTED = (400, 401, 403)
EXCHANGE_PATH = "/api/iam/token"
ACCOUNT_ID, ACCOUNT_SECRET = "ANACONDA_SERVICE_ACCOUNT_ID", "ANACONDA_SERVICE_ACCOUNT_SECRET"


def service_account(settings: Settings) -> Admin | None:
    """Return the administrator's service account that the variables name; None without one.

    With an id and a secret, another bearer token is obtained when the service refuses the last one.

    Raises:
        MalformedToken, StoreUnusable: A variable or its file contains no secret.
        BadInput: Only one of id and secret is given.
        LoginRefused, ServiceError: The service does not trade them for a token.
    """
    url, given = settings.service_url, settings.secret(SERVICE_ACCOUNT)
    if given is not None:
        return Admin(url, bearer=given[1], source=given[0])
    name, secret = settings.secret(ACCOUNT_ID), settings.secret(ACCOUNT_SECRET)
    if name and secret:
        exchange = partial(_exchanged, url, name, secret)
        return Admin(url, bearer=exchange(), source=f"{name[0]} and {secret[0]}", renew=exchange)
    if name or secret:
        missing = ACCOUNT_SECRET if name else ACCOUNT_ID
        raise BadInput(f"{missing} is not set.", hint="Set the id and the secret, or neither.")
    return None


def _exchanged(url: str, name: tuple[str, Secret], secret: tuple[str, Secret]) -> Secret:
    """Trade the id and secret of a service account for a bearer token.

    Raises:
        LoginRefused: The service does not accept them.
        ServiceError: The service could not be used.
    """
    response = client.Http().send(
        "POST",
        f"{url}{EXCHANGE_PATH}",
        form={
            "grant_type": "client_credentials",
            "client_id": name[1].reveal(),
            "client_secret": secret[1].reveal(),
        },
    )
    if response.status in REJECTED:
        source = f"{name[0]} and {secret[0]}"
        raise LoginRefused(
            service=url, source=source, hint="Check both values.", what="service account"
        )
    if response.redirect_target or response.is_page or not response.ok:
        raise UnexpectedResponse(response.url, got=response.description)
    return JsonReader(response.json(), response.url)["access_token"].secret


class MemberToken(NamedTuple):
    """A token as the admin API lists it."""

    id: str
    expires: datetime
    revoked: bool


class Member(NamedTuple):
    """A user of the organization, with all tokens that were ever issued to this user."""

    user_id: str
    email: str
    tokens: tuple[MemberToken, ...]


class Admin:
    """A service account at one service."""

    def __init__(
        self,
        url: str,
        *,
        bearer: Secret,
        source: str,
        renew: Callable[[], Secret] | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Do no I/O.

        Args:
            url: Address of the service.
            bearer: The bearer token.
            source: Where it was found, for messages.
            renew: Returns another bearer token after this one has expired. None: there is none.
            timeouts: Limits of each request. None: those of the network settings.
        """
        self._url = url
        self._source = source
        self._renew = renew
        self._authorization = client.bearer(bearer)
        self._http = client.Http(timeouts=timeouts)

    def extend(self, organization: str, *, user_id: str, tolerance_months: int) -> None:
        """Extend a user's token to the end of the organization's subscription.

        ``tolerance_months``: how long the token works after the subscription has ended.

        Raises:
            LoginRefused: The service account is not accepted.
            ExtensionRefused: There is no such user or token, or it is not this account's
                organization.
            ServiceError: The service could not be used.
        """
        response = self._send(
            "PATCH",
            f"{segment(organization)}/users/{segment(user_id)}/token",
            json={"is_renewal": True, "expiration_tolerance_months": tolerance_months},
        )
        if not response.ok:
            raise ExtensionRefused(organization, status=response.status, reason=reason_of(response))

    def members(self, organization: str) -> Iterator[Member]:
        """Yield the users of the organization that the account can see.

        One request for the list of the users, and one for the tokens of each.

        Raises:
            LoginRefused: The service account is not accepted.
            ExtensionRefused: It is not this account's organization.
            ServiceError: The service could not be used.
        """
        for user in self._items(organization, "users"):
            user_id = user["id"].identifier
            email = user["email"].text if user["email"].value else user_id
            yield Member(user_id, email, self.tokens(organization, user_id=user_id))

    def tokens(self, organization: str, *, user_id: str) -> tuple[MemberToken, ...]:
        """Return all tokens that were ever issued to a user. Raises as ``members``."""
        listed = self._items(organization, f"users/{segment(user_id)}/tokens")
        return tuple(
            MemberToken(
                item["id"].identifier, item["expires_at"].moment, bool(item["revoked"].value)
            )
            for item in listed
        )

    def _items(self, organization: str, what: str) -> Iterator[JsonReader]:
        response = self._send("GET", f"{segment(organization)}/{what}")
        if not response.ok:
            reason, verb = reason_of(response), "list the tokens of the members of"
            raise ExtensionRefused(organization, status=response.status, reason=reason, verb=verb)
        return iter(JsonReader(response.json(), response.url)["items"])

    def _send(self, method: str, place: str, *, json: object = None) -> HttpResponse:
        url = f"{self._url}/api/v1/organizations/{place}"
        response = self._http.send(method, url, authorization=self._authorization, json=json)
        if is_about_login(response) and self._renew is not None:  # a long list takes 15 minutes
            self._authorization = client.bearer(self._renew())
            response = self._http.send(method, url, authorization=self._authorization, json=json)
        if is_about_login(response):
            raise self._login_refused()
        if response.redirect_target or response.is_page:
            raise UnexpectedResponse(response.url, got=response.description)
        return response

    def _login_refused(self) -> LoginRefused:
        return LoginRefused(
            service=self._url,
            source=self._source,
            what="bearer token",
            hint="Check that the service account still exists."
            if self._renew
            else "A service account's token is valid for 15 minutes: request a new one.",
        )

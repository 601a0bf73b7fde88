"""What an administrator's service account may do: extend a user's token to the subscription's end.

https://anaconda.com/docs/anaconda-platform/admin/org-management-api/update-user-token: with
``is_renewal`` a token gets the end of the subscription. The bearer token lasts 900 seconds.
What the answers hold is not documented, so an expiry is read where there is one and not missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.login import LoginRefused
from conda_token_plugin.errors.organization import ExtensionRefused
from conda_token_plugin.errors.service import ServiceNonsense
from conda_token_plugin.gateways.http import client
from conda_token_plugin.service.models import JsonReader
from conda_token_plugin.service.refusals import reason_of
from conda_token_plugin.tokens.scope import segment

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.gateways.http.answer import HttpResponse
    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.tokens.secret import Secret

UNAUTHORIZED = 401


class Admin:
    """A service account at one service."""

    def __init__(
        self, url: str, *, bearer: Secret, source: str, patience: Timeouts | None = None
    ) -> None:
        """Do no I/O. ``source`` says where the bearer token was found."""
        self._url = url
        self._source = source
        self._authorization = client.bearer(bearer)
        self._http = client.Http(patience=patience)

    def extend(self, organization: str, *, user_id: str) -> datetime | None:
        """Extend the token of a user to the end of the organization's subscription.

        Returns:
            The token's new expiry, where the service says it.

        Raises:
            LoginRefused: the service account is not accepted.
            ExtensionRefused: no such user or token, or not this account's organization.
            ServiceError: the service could not be used.
        """
        place = f"{segment(organization)}/users/{segment(user_id)}/token"
        answer = self._http.send(
            "PATCH",
            f"{self._url}/api/v1/organizations/{place}",
            authorization=self._authorization,
            json={"is_renewal": True},
        )
        if answer.status == UNAUTHORIZED:
            raise self._login_refused()
        if answer.elsewhere or answer.is_page:
            raise ServiceNonsense(answer.url, got=answer.nature)
        if not answer.ok:
            raise ExtensionRefused(organization, status=answer.status, reason=reason_of(answer))
        return _expiry(answer)

    def _login_refused(self) -> LoginRefused:
        return LoginRefused(
            service=self._url,
            source=self._source,
            hint="A service account's token lasts 15 minutes: get a new one.",
        )


def _expiry(answer: HttpResponse) -> datetime | None:
    try:
        return JsonReader(answer.json(), answer.url)["expires_at"].moment
    except ServiceNonsense:  # not said, or not so that it can be read: ask for the token instead
        return None

"""Extend users' tokens with an administrator's service account.

https://anaconda.com/docs/anaconda-platform/admin/org-management-api/update-user-token: with
``is_renewal``, a token expires when the subscription ends. The bearer token lasts 900 seconds.
The response is not documented: ``expires_at`` is used if it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.login import LoginRefused
from conda_token_plugin.errors.organization import ExtensionRefused
from conda_token_plugin.errors.service import ServiceNonsense
from conda_token_plugin.gateways.http import client
from conda_token_plugin.service.models import JsonReader, reason_of
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
        """Do no I/O. ``source`` names where the bearer token was found, for messages."""
        self._url = url
        self._source = source
        self._authorization = client.bearer(bearer)
        self._http = client.Http(patience=patience)

    def extend(self, organization: str, *, user_id: str) -> datetime | None:
        """Extend a user's token to the end of the organization's subscription.

        Returns:
            The token's new expiry, or None if the service does not say.

        Raises:
            LoginRefused: The service account is not accepted.
            ExtensionRefused: There is no such user or token, or it is not this account's
                organization.
            ServiceError: The service could not be used.
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
    except ServiceNonsense:  # missing, or no date
        return None

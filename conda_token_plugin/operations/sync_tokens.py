"""Asking the service and the repository about stored tokens, and keeping what they say."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.login import LoginError
from conda_token_plugin.errors.service import NoChannel, TokenRefused
from conda_token_plugin.operations.issue_token import provable
from conda_token_plugin.service.refusals import explained
from conda_token_plugin.settings import SERVICE_ACCOUNT
from conda_token_plugin.tokens.reconcile import Observation, SyncOutcome, must_be_tried, synced
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.service.admin import Admin
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.models import Identity
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token


class SyncResult(NamedTuple):
    """What became of one token; ``outcome`` or ``error``, one of them is None."""

    token: Token
    outcome: SyncOutcome | None = None
    error: TokenPluginError | None = None

    @property
    def word(self) -> str:
        """For people."""
        return self.outcome.value if self.outcome else "not asked"


class Inquiry:
    """Questions about the tokens of one store; who the user is is asked once."""

    def __init__(
        self, call: CommandContext, *, store: Store, service: Service | None = None
    ) -> None:
        """Do no I/O. Without a ``service``, the login that is there is used."""
        self._call = call
        self._store = store
        self._given = service

    def result(self, token: Token) -> SyncResult:
        """Ask about ``token``, extend it if an administrator's account is there, and keep it.

        Raises:
            LoginError: nobody is logged in who could be asked about it.
            ServiceError, OrganizationError, StoreError: it cannot be asked about.
        """
        found = self._compared(token)
        if found.outcome is not SyncOutcome.EXTENDABLE or self._admin is None:
            return found
        self._admin.extend(token.organization, user_id=self._identity.user_id)
        return self._compared(token)

    def failed(self, token: Token, error: TokenPluginError) -> SyncResult:
        """The result of a question that had no answer."""
        return SyncResult(token=token, error=error)

    def page(self, organization: str) -> str:
        """Where members of ``organization`` extend their tokens.

        https://anaconda.com/docs/anaconda-platform/admin/org-management-api names the address.
        """
        from conda_token_plugin.tokens.scope import segment

        return f"{self._call.settings.service_url}/app/organizations/{segment(organization)}"

    def _compared(self, token: Token) -> SyncResult:
        seen = self._seen(token)
        known, outcome = synced(token, seen=seen, now=self._call.now)
        self._store.update(known)
        return SyncResult(token=known, outcome=outcome)

    def _seen(self, token: Token) -> Observation:
        if token.kind is not TokenKind.INDIVIDUAL:
            return Observation(ends=self._ends_if_known(token), accepted=self._accepted(token))
        with explained(self._service, now=self._call.now):
            current = self._service.current_token(token.organization)
        tried = must_be_tried(token, current_id=current.id if current else None)
        return Observation(
            current_id=current.id if current else None,
            current_expires=current.expires if current else None,
            ends=self._ends.get(token.organization),
            accepted=self._accepted(token) if tried else None,
        )

    def _accepted(self, token: Token) -> bool | None:
        from conda_token_plugin.service.repository import prove

        where = provable(token, settings=self._call.settings)
        try:
            prove(where, token=token, secret=self._store.secret(token.key), outcome="")
        except TokenRefused:  # revoked, reissued, cancelled: the caller finds out which
            return False
        except NoChannel:  # nowhere to try it
            return None
        return True

    def _ends_if_known(self, token: Token) -> datetime | None:
        """The end of the subscription behind a site token, if somebody is logged in to see it."""
        try:
            return self._ends.get(token.organization)
        except LoginError:  # a site token needs no login
            return None

    @cached_property
    def _ends(self) -> Mapping[str, datetime | None]:
        return {item.organization: item.subscription_ends for item in self._identity.memberships}

    @cached_property
    def _identity(self) -> Identity:
        return self._service.whoami()

    @cached_property
    def _service(self) -> Service:
        if self._given is not None:
            return self._given
        from conda_token_plugin.service.client import Service
        from conda_token_plugin.service.credentials import find_api_key

        settings = self._call.settings
        api_key, source = find_api_key(settings, self._store, notice=self._call.printer.say)
        return Service(settings.service_url, api_key=api_key, source=source)

    @cached_property
    def _admin(self) -> Admin | None:
        """The administrator's service account, where there is one.

        Raises:
            MalformedToken, StoreUnusable: the variable or its file holds no token.
        """
        found = self._call.settings.secret(SERVICE_ACCOUNT)
        if found is None:
            return None
        from conda_token_plugin.service.admin import Admin

        source, bearer = found
        return Admin(self._call.settings.service_url, bearer=bearer, source=source)

"""Compare stored tokens with the service and the repository, and store what they say."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from conda_token_plugin.errors.login import LoginError
from conda_token_plugin.errors.organization import ExtensionRefused
from conda_token_plugin.errors.service import NoChannel, TokenRefused
from conda_token_plugin.operations.extend_members import Members, current_of
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.service.credentials import logged_in
from conda_token_plugin.service.refusals import explained
from conda_token_plugin.tokens.reconcile import (
    Observation,
    SyncOutcome,
    SyncResult,
    needs_verification,
    synced,
)
from conda_token_plugin.tokens.repository_layout import segment
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from conda_token_plugin.gateways.clock import Clock
    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.operations.verify_token import Verification
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.models import Identity
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token


class TokenSync:
    """Compares the tokens of one store with the service. The user's identity is read once."""

    def __init__(  # noqa: PLR0913  # the store, and the outside world that it is compared with
        self,
        store: Store,
        *,
        settings: Settings,
        clock: Clock,
        notice: Callable[[str], None],
        service: Service | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Do no I/O.

        Without ``service``, the stored login is used. ``notice`` receives one sentence at a
        time.
        """
        self._store = store
        self._settings = settings
        self._clock = clock
        self._notice = notice
        self._given = service
        self._timeouts = timeouts

    def result(self, token: Token) -> SyncResult:
        """Compare ``token``, extend it if there is a service account, and store the result.

        Without a user's login, and for a token of another member, the service account is asked.

        Raises:
            LoginError: No login can be used to ask about the token.
            ServiceError, OrganizationError, StoreError: The comparison failed.
        """
        if token.kind is not TokenKind.INDIVIDUAL or self._members is None:
            return self._compared(token)
        try:
            found = self._compared(token)
        except LoginError:  # there is no login, or it is not accepted any more
            return self._by_administrator(token, self._members)
        if found.outcome is SyncOutcome.EXTENDABLE:
            user_id = self._identity.user_id
            self._members.extend(token.organization, user_id=user_id, token=found.token)
            return self._compared(found.token)
        if not found.works and self._members.owner(token) is not None:
            return self._by_administrator(token, self._members)
        return found

    @property
    def is_administrator(self) -> bool:
        """Whether there is a service account.

        Raises:
            MalformedToken, StoreUnusable, BadInput, LoginRefused, ServiceError: It cannot be used.
        """
        return self._members is not None

    def of_members(self, organization: str) -> list[SyncResult]:
        """Extend the members' tokens with the service account, except those that are stored here.

        A token is extended if it expires before the subscription. Nothing is stored.

        Returns:
            One result for each member with a token, with the metadata that the service lists.

        Raises:
            LoginRefused: The service does not accept the service account.
            ExtensionRefused: The account cannot see the organization's members.
            ServiceError: The service could not be used.
        """
        if self._members is None:
            return []
        held = {token.id for token in self._store.tokens() if token.id}
        ends = self._ends_if_known(organization)
        return self._members.extend_all(organization, ends=ends, without=held)

    def compare(self, token: Token, *, accepted: bool | None) -> SyncResult:
        """Compare an individual token with the service and store the result.

        ``accepted``: whether the repository accepts it; None if that is not known.

        Raises:
            LoginError, ServiceError, OrganizationError, StoreError: The comparison failed.
        """
        seen = self._observed(token)._replace(accepted=accepted)
        return self._stored(token, seen=seen, verification=None)

    def page(self, organization: str) -> str:
        """Return the URL of the web page on which members extend their token.

        https://anaconda.com/docs/anaconda-platform/admin/org-management-api names the address.
        """
        return f"{self._settings.service_url}/app/organizations/{segment(organization)}"

    def _compared(self, token: Token) -> SyncResult:
        if token.kind is not TokenKind.INDIVIDUAL:
            accepted, verification = self._verified(token)
            seen = Observation(ends=self._ends_if_known(token.organization), accepted=accepted)
            return self._stored(token, seen=seen, verification=verification)
        seen, verification = self._observed(token), None
        if needs_verification(token, current_id=seen.current_id):
            accepted, verification = self._verified(token)
            seen = seen._replace(accepted=accepted)
        return self._stored(token, seen=seen, verification=verification)

    def _by_administrator(self, token: Token, members: Members) -> SyncResult:
        """Extend ``token`` with the service account, and store the result.

        Raises:
            ExtensionRefused: The service account cannot see the token.
            LoginRefused, ServiceError, StoreError: As ``result``.
        """
        owner = members.owner(token)
        if owner is None:
            if token.id:
                reason = f"the service account sees no member who has the token {token.id}"
                raise ExtensionRefused(token.organization, reason=reason)
            raise ExtensionRefused(
                token.organization,
                reason="its id is not known before the first sync with a login",
                hint=f"Log in, then run: conda token sync {token.organization}",
            )
        current = current_of(owner.tokens)
        if current is not None and current.id == token.id:
            current = members.extend(token.organization, user_id=owner.user_id, token=token)
        expires = current and current.expires
        seen = Observation(
            current_id=current and current.id,
            current_expires=expires,
            ends=expires,  # a token is extended to the end of its subscription
        )
        return self._stored(token, seen=seen, verification=None)

    def _observed(self, token: Token) -> Observation:
        """Return what the service says about the user's current token."""
        with explained(self._service, clock=self._clock):
            current = self._service.current_token(token.organization)
        return Observation(
            current_id=current.id if current else None,
            current_expires=current.expires if current else None,
            tolerance_months=current.tolerance_months if current else None,
            ends=self._ends.get(token.organization),
        )

    def _stored(
        self, token: Token, *, seen: Observation, verification: Verification | None
    ) -> SyncResult:
        known, outcome = synced(token, seen=seen, now=self._clock.now)
        if verification is not None and not verification.verified:
            known = known._replace(verified=token.verified)  # accepted, but not in its own channels
        if self._store.token(token.key) is not None:  # it may have been removed meanwhile
            self._store.update(known)
        return SyncResult(token=known, outcome=outcome)

    def _verified(self, token: Token) -> tuple[bool | None, Verification | None]:
        """Return whether the repository accepts ``token``, and where; None if not known."""
        where = places(token, settings=self._settings)
        secret = self._store.secret(token.key)
        try:
            found = verify(where, token=token, secret=secret, outcome="", timeouts=self._timeouts)
        except TokenRefused:  # revoked, reissued or cancelled: the service says which
            return False, None
        except NoChannel:
            return None, None
        return (None if found.public else True), found

    def _ends_if_known(self, organization: str) -> datetime | None:
        """Return the end of the subscription, if the user is logged in to see it."""
        try:
            return self._ends.get(organization)
        except LoginError:  # neither a site token nor a service account needs one
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
        return logged_in(self._settings, self._store, notice=self._notice, timeouts=self._timeouts)

    @cached_property
    def _members(self) -> Members | None:
        """The members whom the administrator's service account can see; None without one.

        Raises:
            MalformedToken, StoreUnusable: A variable or its file contains no secret.
            BadInput: Only one of id and secret is given.
            LoginRefused, ServiceError: The service does not trade them for a token.
        """
        from conda_token_plugin.service.admin import service_account  # requests

        found = service_account(self._settings)
        return Members(found) if found else None

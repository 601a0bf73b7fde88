"""Compare stored tokens with the service and the repository, and store what they say."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors.login import LoginError, NotLoggedIn
from conda_token_plugin.errors.organization import ExtensionRefused
from conda_token_plugin.errors.service import NoChannel, TokenRefused
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.service.credentials import logged_in
from conda_token_plugin.service.refusals import explained
from conda_token_plugin.tokens.reconcile import Observation, SyncOutcome, must_be_tried, synced
from conda_token_plugin.tokens.scope import segment
from conda_token_plugin.tokens.token import ABOUT, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.operations.verify_token import Verification
    from conda_token_plugin.service.admin import Admin
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.models import Identity
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token

NOT_FOUND = 404
MAX_CLOCK_ERROR = ABOUT
"""A larger difference from the service's ``Date`` header means that the local clock is wrong."""


class SyncResult(NamedTuple):
    """The result for one token. Either ``outcome`` or ``error`` is None."""

    token: Token
    """With the metadata as they are known now."""
    outcome: SyncOutcome | None = None
    error: TokenPluginError | None = None

    @property
    def word(self) -> str:
        """The result in one or two words, for people."""
        return self.outcome.value if self.outcome else "not asked"


class TokenSync:
    """Compares the tokens of one store with the service. The user's identity is read once."""

    def __init__(  # noqa: PLR0913  # the store, and the outside world that it is compared with
        self,
        store: Store,
        *,
        settings: Settings,
        now: datetime,
        notice: Callable[[str], None],
        service: Service | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """Do no I/O.

        Args:
            store: Where the tokens are, and where the result is stored.
            settings: The addresses of the service and the repository.
            now: The current time by this machine's clock, aware, UTC.
            notice: Receives what the user should know, one sentence at a time.
            service: The service to ask. Without it, the stored login is used.
            timeouts: Of each request.
        """
        self._store = store
        self._settings = settings
        self._local_now = now
        self._notice = notice
        self._given = service
        self._timeouts = timeouts

    def result(self, token: Token) -> SyncResult:
        """Compare ``token``, extend it if there is a service account, and store the result.

        Without a user's login the service account alone is used, for tokens whose id is known.

        Raises:
            LoginError: No login can be used to ask about the token.
            ServiceError, OrganizationError, StoreError: The comparison failed.
        """
        if token.kind is TokenKind.INDIVIDUAL and token.id and not self._is_logged_in:
            return self._by_administrator(token)
        found = self._compared(token)
        if found.outcome is not SyncOutcome.EXTENDABLE or self._admin is None:
            return found
        self._admin.extend(token.organization, user_id=self._identity.user_id)
        return self._compared(token)

    def compare(self, token: Token, *, accepted: bool | None) -> SyncResult:
        """Compare an individual token with the service and store the result.

        Args:
            token: The token.
            accepted: Whether the repository accepts it; None if that is not known.

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

    @property
    def now(self) -> datetime:
        """The local time; the service's if it was asked and the two differ by more than a day."""
        reported = self._service.date if "_service" in self.__dict__ or self._given else None
        if reported is None or abs(reported - self._local_now) <= MAX_CLOCK_ERROR:
            return self._local_now
        self._notice(
            f"The clock of this machine says {self._local_now:%Y-%m-%d}, the service says "
            f"{reported:%Y-%m-%d}. The service's time is used. Set the clock."
        )
        return reported

    def _compared(self, token: Token) -> SyncResult:
        if token.kind is not TokenKind.INDIVIDUAL:
            accepted, verification = self._verified(token)
            seen = Observation(ends=self._ends_if_known(token), accepted=accepted)
            return self._stored(token, seen=seen, verification=verification)
        seen, verification = self._observed(token), None
        if must_be_tried(token, current_id=seen.current_id):
            accepted, verification = self._verified(token)
            seen = seen._replace(accepted=accepted)
        return self._stored(token, seen=seen, verification=verification)

    def _by_administrator(self, token: Token) -> SyncResult:
        """Extend ``token`` with the service account, and store the result.

        Raises:
            NotLoggedIn: There is no service account either.
            ExtensionRefused: The service account cannot see the token.
            LoginRefused, ServiceError, StoreError: As ``result``.
        """
        if self._admin is None:
            return self._compared(token)  # raises the error about the missing login
        known = self._admin.token(token.organization, id=token.id)
        if known is None:
            reason = f"no member has a token with the id {token.id}"
            raise ExtensionRefused(token.organization, status=NOT_FOUND, reason=reason)
        if known.revoked:
            return self._stored(token, seen=Observation(), verification=None)
        expires = self._admin.extend(token.organization, user_id=known.user_id)
        seen = Observation(current_id=known.id, current_expires=expires)
        return self._stored(token, seen=seen, verification=None)

    @cached_property
    def _is_logged_in(self) -> bool:
        try:
            return self._service is not None
        except NotLoggedIn:
            return False

    def _observed(self, token: Token) -> Observation:
        """Return what the service says about the user's current token."""
        with explained(self._service, now=self._local_now):
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
        known, outcome = synced(token, seen=seen, now=self.now)
        if verification is not None and not verification.verified:
            known = known._replace(proven=token.proven)  # accepted, but not in its own channels
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

    def _ends_if_known(self, token: Token) -> datetime | None:
        """Return the end of a site token's subscription, if the user is logged in to see it."""
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
        return logged_in(self._settings, self._store, notice=self._notice, patience=self._timeouts)

    @cached_property
    def _admin(self) -> Admin | None:
        """The administrator's service account, or None.

        Raises:
            MalformedToken, StoreUnusable: A variable or its file contains no secret.
            BadInput: Only one of id and secret is given.
            LoginRefused, ServiceError: The service does not trade them for a token.
        """
        from conda_token_plugin.service.admin import Admin, service_account  # requests

        found = service_account(self._settings)
        return found and Admin(self._settings.service_url, bearer=found[1], source=found[0])

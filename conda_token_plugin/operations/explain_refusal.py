"""Finding out why a channel refused: what is stored, and what repository and service say of it.

Runs only after a command has failed. Every wait is short, and each token is asked about once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.organization import OrganizationError
from conda_token_plugin.errors.service import ServiceError, TokenRefused
from conda_token_plugin.errors.store import StoreError
from conda_token_plugin.operations.refusal_reasons import (
    SHARED,
    ChannelRefusal,
    Evidence,
    diagnosed,
)
from conda_token_plugin.store.lookup import USER, stores_of
from conda_token_plugin.tokens import scope
from conda_token_plugin.tokens.scope import channel_of, longest_prefix, without_secrets
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.operations.refusal_reasons import Diagnosis
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store.held_token import HeldToken
    from conda_token_plugin.store.lookup import Lookup
    from conda_token_plugin.tokens.reconcile import SyncOutcome
    from conda_token_plugin.tokens.token import Token

INTERCEPTORS = re.compile(
    r"squid|zscaler|blue\s?coat|mcafee|skyhigh|fortigate|fortinet|forcepoint|websense|ironport"
    r"|sophos|barracuda|netskope|checkpoint|palo ?alto|umbrella|mitmproxy",
    re.IGNORECASE,
)
"""Names that proxies and firewalls give themselves in headers of their own error pages."""
TELLING = ("server", "via", "x-squid-error", "x-cache", "proxy-agent", "x-zscaler-cloud")
CONNECT, READ = 2.0, 5.0
"""Seconds; a command that has failed anyway is not kept waiting for long."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What repository and service said of a token; None: they did not."""

    elsewhere: bool | None = None
    outcome: SyncOutcome | None = None
    service_refused: OrganizationError | None = None


@dataclass(frozen=True, slots=True)
class RefusalExplainer:
    """Examines the refusals of one process."""

    settings: Settings
    lookup: Lookup
    _asked: dict[str, Asked] = field(default_factory=dict)

    def examine(self, url: str, *, status: int, headers: Mapping[str, str]) -> Diagnosis | None:
        """Why ``url`` was answered with ``status`` and ``headers``; None: not ours to say."""
        try:
            refusal = refusal_of(url, status=status, headers=headers)
            return self._examined(refusal)
        except TokenPluginError:  # a corrupt store, a locked keyring: the handler has said it
            return None

    def _examined(self, refusal: ChannelRefusal) -> Diagnosis | None:
        found = self.lookup.find(refusal.url)
        now = datetime.now(timezone.utc)
        organization = organization_of(refusal.url, settings=self.settings)
        if found is None or refusal.own_credentials or refusal.interceptor:
            token, source = (found.token, found.source) if found else (None, "")
            evidence = Evidence(
                refusal=refusal, now=now, organization=organization, token=token, source=source
            )
            return diagnosed(evidence)
        asked = self._asked_about(found, refusal=refusal, now=now)
        return diagnosed(
            Evidence(
                refusal=refusal,
                now=now,
                organization=organization,
                token=self._as_known(found),
                source=found.source,
                elsewhere=asked.elsewhere,
                outcome=asked.outcome,
                service_refused=asked.service_refused,
            )
        )

    def _asked_about(self, found: HeldToken, *, refusal: ChannelRefusal, now: datetime) -> Asked:
        if not found.token.worth_trying(now=now):  # it was not sent: what is known is enough
            return Asked()
        if found.token.key not in self._asked:
            self._asked[found.token.key] = self._ask(found, refusal=refusal, now=now)
        return self._asked[found.token.key]

    def _ask(self, found: HeldToken, *, refusal: ChannelRefusal, now: datetime) -> Asked:
        elsewhere = self._is_taken_elsewhere(found, refusal=refusal)
        if elsewhere or found.token.kind is not TokenKind.INDIVIDUAL:
            return Asked(elsewhere=elsewhere)
        try:
            outcome = self._compared(found, accepted=elsewhere, now=now)
        except OrganizationError as error:  # no seat, no member, no subscription
            return Asked(elsewhere=elsewhere, service_refused=error)
        except TokenPluginError:  # nobody is logged in, nobody answers, the store is locked
            return Asked(elsewhere=elsewhere)
        return Asked(elsewhere=elsewhere, outcome=outcome)

    def _is_taken_elsewhere(self, found: HeldToken, *, refusal: ChannelRefusal) -> bool | None:
        from conda_token_plugin.gateways.http.client import Timeouts
        from conda_token_plugin.operations.issue_token import provable
        from conda_token_plugin.service.repository import prove

        places = provable(found.token, settings=self.settings)
        others = [one for one in places if longest_prefix(refusal.url, among={one}) is None]
        patience = Timeouts(connect=CONNECT, read=READ, again=0)
        try:
            proof = prove(
                others, token=found.token, secret=found.secret(), outcome="", patience=patience
            )
        except TokenRefused:  # not there either
            return False
        except (ServiceError, StoreError):  # no other place, no answer, a locked keyring
            return None
        return None if proof.public else True

    def _compared(self, found: HeldToken, *, accepted: bool | None, now: datetime) -> SyncOutcome:
        """What the service says; it is kept, so that the token is not sent in vain again."""
        from conda_token_plugin.service.refusals import explained
        from conda_token_plugin.tokens.reconcile import Observation, synced

        service = self._service()
        organization = found.token.organization
        with explained(service, now=now):
            current = service.current_token(organization)
        ends = {one.organization: one.subscription_ends for one in service.whoami().memberships}
        seen = Observation(
            current_id=current.id if current else None,
            current_expires=current.expires if current else None,
            ends=ends.get(organization),
            accepted=accepted,
        )
        token, outcome = synced(found.token, seen=seen, now=now)
        store = stores_of(self.settings)[USER]
        if store.token(token.key) is not None:
            store.update(token)
        return outcome

    def _service(self) -> Service:
        from conda_token_plugin.gateways.http.client import Timeouts
        from conda_token_plugin.service.client import Service
        from conda_token_plugin.service.credentials import find_api_key

        store = stores_of(self.settings)[USER]
        api_key, source = find_api_key(self.settings, store)
        patience = Timeouts(connect=CONNECT, read=READ, again=0)
        return Service(self.settings.service_url, api_key=api_key, source=source, patience=patience)

    def _as_known(self, found: HeldToken) -> Token:
        """The token's metadata as it is now, with what was just learnt."""
        stored = stores_of(self.settings)[USER].token(found.token.key)
        return stored if stored is not None and stored.scope == found.token.scope else found.token


def refusal_of(url: str, *, status: int, headers: Mapping[str, str]) -> ChannelRefusal:
    """The facts of an answer."""
    said = [headers.get(name, "") for name in TELLING]
    named = next((match for text in said if (match := INTERCEPTORS.search(text))), None)
    clean = without_secrets(url)
    return ChannelRefusal(
        url=clean,
        status=status,
        interceptor=named[0] if named else "",
        page="html" in headers.get("content-type", ""),
        own_credentials=clean != url.partition("?")[0].partition("#")[0],
    )


def organization_of(url: str, *, settings: Settings) -> str:
    """Return the organization that owns `url`, `SHARED`, or "" outside of the repository."""
    repository = settings.repo_url
    if longest_prefix(url, among={repository.rstrip("/")}) is None:
        return ""
    return scope.organization_of(channel_of(url), repository=repository) or SHARED

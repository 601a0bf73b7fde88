"""Find out why a channel refused a request: from the store, the repository and the service.

It runs only after a command of conda has failed, so the timeouts are short.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.organization import OrganizationError
from conda_token_plugin.errors.service import ServiceError, TokenRefused
from conda_token_plugin.errors.store import StoreError
from conda_token_plugin.gateways.clock import Clock, compare
from conda_token_plugin.gateways.http.response import REFUSED, date_of
from conda_token_plugin.operations.channel_settings import excluding_group, is_asked
from conda_token_plugin.operations.refusal_evidence import (
    Answers,
    ChannelRefusal,
    Evidence,
    organization_of,
    refusal_of,
)
from conda_token_plugin.operations.refusal_reasons import Diagnosis, diagnosed
from conda_token_plugin.operations.sync_tokens import TokenSync
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.store import USER, stores_of
from conda_token_plugin.tokens.display import LOGIN, capitalized, named
from conda_token_plugin.tokens.scope import longest_prefix
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.gateways.http.client import Http, Timeouts
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store.lookup import Lookup
    from conda_token_plugin.store.sources import Credential
    from conda_token_plugin.tokens.token import Token

CONNECT, READ = 2.0, 5.0
"""Timeouts in seconds."""
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class RefusalExplainer:
    """Explains the refusals of one process. The servers are asked about each token only once."""

    settings: Settings
    lookup: Lookup
    _answers: dict[str, Answers] = field(default_factory=dict)

    def examine(self, url: str, *, status: int, headers: Mapping[str, str]) -> Diagnosis | None:
        """Return why the response for ``url`` has ``status``; None if no token is the reason.

        Args:
            url: The URL that conda requested.
            status: The HTTP status of the response.
            headers: The headers of the response, with names in lower case.
        """
        try:
            refusal = refusal_of(url, status=status, headers=headers)
            notices = list[str]()
            clock = Clock(datetime.now(timezone.utc), notice=notices.append)
            with clock.in_use():
                compare(date_of(headers), server=urlsplit(refusal.url).hostname or "the server")
                found = self._examined(refusal, clock=clock)
        except TokenPluginError:  # a corrupt store or a locked keyring: the handler reports it
            return None
        return replace(found, what=" ".join([found.what, *notices])) if found else None

    def _examined(self, refusal: ChannelRefusal, *, clock: Clock) -> Diagnosis | None:
        found = self._found(refusal.url)
        if refusal.status not in REFUSED:
            return self._works_without(refusal, found, now=clock.now) if found else None
        evidence = Evidence(
            refusal=refusal,
            now=clock.now,
            organization=organization_of(refusal.url, settings=self.settings),
            token=found.token if found else None,
            source=found.source if found else "",
            site=self._site_of(found.source) if found else "",
            also=self._also_refused(found, url=refusal.url),
            closed_to=None if found else excluding_group(refusal.url, settings=self.settings),
        )
        if found is None or refusal.own_credentials or refusal.interceptor:
            return diagnosed(evidence)
        unsupplied = self._unsupplied(found, refusal=refusal)
        if unsupplied is not None:
            return unsupplied
        # If the token is not usable, the metadata show the reason.
        usable = found.token.is_usable_or_stale(now=clock.now)
        sent = not usable or is_asked(refusal.url, settings=self.settings)
        answers = Answers()
        if usable and sent:
            answers = self._answers_about(found, refusal=refusal, clock=clock)
        token = self._as_known(found)
        return diagnosed(replace(evidence, now=clock.now, token=token, answers=answers, sent=sent))

    def _found(self, url: str) -> Credential | None:
        """Return the credential for ``url``; no API key where conda does not ask this plugin.

        There a token helps: to install one also configures conda.
        """
        found = self.lookup.find(url)
        is_key = found is not None and found.token.kind is TokenKind.API_KEY
        return None if is_key and not is_asked(url, settings=self.settings) else found

    def _site_of(self, source: str) -> str:
        """Return the name of the site that ``source`` is a login to; "" for the default one."""
        known = self.settings.sites()
        others = (one for one in known if one.service_url != self.settings.default_site.service_url)
        return next((one.name for one in others if source == f"{LOGIN}{one.service_url}"), "")

    def _also_refused(self, found: Credential | None, *, url: str) -> str:
        """Return a sentence about the credential that the auth handler sent after ``found``."""
        try:
            other = self.lookup.alternative(url, to=found) if found else None
            if other is None:
                return ""
            return f" {capitalized(named(other.token))} from {other.source} was also rejected."
        except TokenPluginError as error:  # such as a variable that contains no API key
            return f" The other credential cannot be read: {error.what}"

    def _works_without(
        self, refusal: ChannelRefusal, found: Credential, *, now: datetime
    ) -> Diagnosis | None:
        """Explain a 404 for a file that the server returns if no token is sent."""
        if refusal.status != NOT_FOUND:
            return None
        try:
            response = self._http().send("GET", refusal.url, follow=True, max_bytes=1)
        except ServiceError:
            return None
        if not response.ok or response.is_page:
            return None
        return diagnosed(
            Evidence(refusal=refusal, now=now, token=found.token, source=found.source, public=True)
        )

    def _unsupplied(self, found: Credential, *, refusal: ChannelRefusal) -> Diagnosis | None:
        """Explain the refusal of a request for which a provider supplied no credential."""
        is_provider = found.token.kind is TokenKind.PROVIDER
        if not (is_provider and is_asked(refusal.url, settings=self.settings)):
            return None
        try:
            found.secret()
        except StoreError as error:  # the auth handler got the same error
            what = f"No credential was sent (HTTP {refusal.status} for {refusal.url}). {error.what}"
            return Diagnosis("provider_failed", what, error.hint)
        return None

    def _answers_about(
        self, found: Credential, *, refusal: ChannelRefusal, clock: Clock
    ) -> Answers:
        if found.token.key not in self._answers:
            self._answers[found.token.key] = self._ask(found, refusal=refusal, clock=clock)
        return self._answers[found.token.key]

    def _ask(self, found: Credential, *, refusal: ChannelRefusal, clock: Clock) -> Answers:
        elsewhere = self._is_accepted_elsewhere(found, refusal=refusal)
        if elsewhere or found.token.kind is not TokenKind.INDIVIDUAL:
            return Answers(elsewhere=elsewhere)
        try:
            outcome = self._sync(clock).compare(found.token, accepted=elsewhere).outcome
        except OrganizationError as error:  # no seat, not a member, no subscription
            return Answers(elsewhere=elsewhere, service_refused=error)
        except TokenPluginError:  # not logged in, no response, or the store is locked
            return Answers(elsewhere=elsewhere)
        return Answers(elsewhere=elsewhere, outcome=outcome)

    def _is_accepted_elsewhere(self, found: Credential, *, refusal: ChannelRefusal) -> bool | None:
        where = places(found.token, settings=self.settings)
        others = [one for one in where if longest_prefix(refusal.url, among={one}) is None]
        try:
            accepted = verify(
                others, token=found.token, secret=found.secret(), outcome="", timeouts=timeouts()
            )
        except TokenRefused:
            return False
        except (ServiceError, StoreError):  # no other channel, no response, a locked keyring
            return None
        return None if accepted.public else True

    def _sync(self, clock: Clock) -> TokenSync:
        store = stores_of(self.settings)[USER]
        return TokenSync(
            store,
            settings=self.settings,
            clock=clock,
            notice=lambda _line: None,
            timeouts=timeouts(),
        )

    def _http(self) -> Http:
        from conda_token_plugin.gateways.http.client import Http  # requests, after a refusal only

        return Http(timeouts=timeouts(), outcome="")

    def _as_known(self, found: Credential) -> Token:
        """Return the metadata of the token, with what the service has just reported."""
        stored = stores_of(self.settings)[USER].token(found.token.key)
        return stored if stored is not None and stored.scope == found.token.scope else found.token


def timeouts() -> Timeouts:
    """Return short timeouts, because the user is waiting for a command that has failed."""
    from conda_token_plugin.gateways.http.client import Timeouts  # as in `_http`

    return Timeouts(connect=CONNECT, read=READ, retries=0)

"""Choose and word the reason why a channel refused a request, with the next command. Pure.

The first row that applies is used:

| what is known                                                  | code            |
|----------------------------------------------------------------|-----------------|
| a header names a proxy or firewall                             | intercepted     |
| the URL contains credentials                                   | own_credentials |
| the machine has a token that the user may not read             | not_in_group    |
| no token covers the URL                                        | no_token        |
| the server returns the file if no token is sent                | works_without   |
| conda is not configured to ask this plugin about the URL       | not_asked       |
| a provider failed, or says that no credential is needed        | provider_failed |
| the channel redirects to storage, which refused                | storage_refused |
| the repository accepts the token for another channel           | not_for_this    |
| the service: there is no seat                                  | no_seat         |
| the service: not a member, or refused for another reason       | refused         |
| the service: another token is the current one                  | reissued        |
| the service: there is no current token                         | revoked         |
| the service: the subscription has ended, or was cancelled      | ended, cancelled|
| the service: the token is valid                                | not_for_this    |
| the metadata: it has expired (it was not sent)                 | expired         |
| the metadata: it was revoked, or the subscription cancelled    | revoked, …      |
| nothing else                                                   | refused         |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_token_plugin.errors.organization import NoSeat
from conda_token_plugin.operations.channel_settings import entry_for
from conda_token_plugin.operations.refusal_evidence import SHARED
from conda_token_plugin.tokens.authorization import other_scheme
from conda_token_plugin.tokens.display import (
    STORED_IN,
    capitalized,
    command_line,
    day,
    is_supplied,
    named,
    renewal,
)
from conda_token_plugin.tokens.reconcile import SyncOutcome
from conda_token_plugin.tokens.token import State, TokenKind

if TYPE_CHECKING:
    from conda_token_plugin.errors.organization import OrganizationError
    from conda_token_plugin.operations.refusal_evidence import Evidence
    from conda_token_plugin.tokens.token import Token

_ENDS = (SyncOutcome.CANCELLED, SyncOutcome.ENDED)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A reason with a stable code, and the next command."""

    code: str
    what: str
    command: str

    @property
    def text(self) -> str:
        """The reason and the command in one line."""
        return f"{self.what} {self.command}"


def storage_refused(host: str, *, status: int) -> Diagnosis:
    """Return the diagnosis for a refusal by the storage that a channel redirects to."""
    return Diagnosis(
        code="storage_refused",
        what=f"The channel redirects to {host}, which refused the request (HTTP {status}). "
        "The token is not sent there and is not the cause.",
        command="Try again; if it fails again, tell the administrator of the channel.",
    )


def diagnosed(evidence: Evidence) -> Diagnosis | None:
    """Return the first row that applies; ``None`` if no token is stored or expected for the URL."""
    refusal, token = evidence.refusal, evidence.token
    if token is None and not (evidence.organization or evidence.closed_to):
        return None
    if refusal.interceptor:
        what = f"A proxy or firewall ({refusal.interceptor}) responded instead of the repository"
        return _reason(evidence, "intercepted", what, _run("test", refusal.channel))
    if refusal.own_credentials:
        what = "The channel's URL contains credentials, so no stored token was sent"
        command = f"Remove them from the URL, then run: {command_line('which', refusal.channel)}"
        return _reason(evidence, "own_credentials", what, command)
    if token is None:
        return _no_token(evidence)
    return _by_request(evidence) or _by_service(evidence) or _by_metadata(token, evidence)


def _no_token(evidence: Evidence) -> Diagnosis:
    organization = evidence.organization
    if (group := evidence.closed_to) is not None:
        owner = "this channel" if organization in ("", SHARED) else organization
        what = f"This machine has a token for {owner}, but you are not in the group {group}"
        return _reason(evidence, "not_in_group", what, "Ask your administrator.")
    if organization == SHARED:
        return _reason(evidence, "no_token", "No token is stored for this channel", _run("install"))
    what = f"No token is stored for the organization {organization!r}"
    return _reason(evidence, "no_token", what, _run("install", "--org", organization))


def _by_request(evidence: Evidence) -> Diagnosis | None:
    """Return the reason if the token is not needed, or was not sent."""
    url = evidence.refusal.channel
    if evidence.public:
        why = "is not needed: the server returns the file if no token is sent"
        return _of_token(evidence, "works_without", why, f"Remove {url} from the token's channels.")
    if not evidence.sent:
        why = "was not sent: conda is not configured to ask this plugin about the channel"
        return _of_token(evidence, "not_asked", why, entry_for(url))
    return None


def _by_service(evidence: Evidence) -> Diagnosis | None:
    """Return the reason that the repository or the service gave, if they were asked."""
    answers, outcome = evidence.answers, evidence.answers.outcome
    if answers.elsewhere or (outcome and outcome.works):
        why = "is valid, but not for this organization or channel"
        return _of_token(evidence, "not_for_this", why, _run("which", evidence.refusal.url))
    if answers.service_refused is not None:
        return _no_longer_entitled(evidence, answers.service_refused)
    if outcome is SyncOutcome.REISSUED:
        why = f"was revoked: another one was issued elsewhere after {_last_valid(evidence.token)}"
        return _of_token(evidence, "reissued", why, _replacement_step(evidence))
    if outcome is SyncOutcome.REVOKED:
        return _revoked(evidence)
    return _without_subscription(evidence) if outcome in _ENDS else None


def _by_metadata(token: Token, evidence: Evidence) -> Diagnosis:
    """Return the reason that the stored metadata show; "refused" if they show none."""
    state = token.state(now=evidence.now)
    if state is State.EXPIRED:
        return _of_token(
            evidence,
            "expired",
            f"expired on {day(token.usable_until)}",
            _replacement_step(evidence),
        )
    if state is State.CANCELLED:
        return _without_subscription(evidence)
    return _revoked(evidence) if state is State.REVOKED else _refused(token, evidence)


def _no_longer_entitled(evidence: Evidence, error: OrganizationError) -> Diagnosis:
    if isinstance(error, NoSeat):
        why = "was rejected: you no longer have a seat in the organization"
        return _of_token(evidence, "no_seat", why, error.hint)
    why = f"was rejected. {error.what.rstrip('.')}"
    return _of_token(evidence, "refused", why, error.hint or _run("whoami"))


def _revoked(evidence: Evidence) -> Diagnosis:
    individual = evidence.token is not None and evidence.token.kind is TokenKind.INDIVIDUAL
    or_seat = ", or your seat was removed" if individual else ""
    why = f"was revoked or reissued elsewhere after {_last_valid(evidence.token)}{or_seat}"
    return _of_token(evidence, "revoked", why, _replacement_step(evidence))


def _without_subscription(evidence: Evidence) -> Diagnosis:
    token, code, end = evidence.token, "cancelled", "was cancelled"
    if evidence.answers.outcome is SyncOutcome.ENDED:
        code, end = "ended", f"ended on {day(token.subscription_ends if token else None)}"
    organization = token.organization if token else evidence.organization
    why = f"expired with the organization's subscription, which {end}"
    then = f"When it is renewed, run: {command_line('sync', organization)}"
    return _of_token(evidence, code, why, then)


def _refused(token: Token, evidence: Evidence) -> Diagnosis:
    refusal = evidence.refusal
    what = f"The server rejected {named(token)} from {_place(evidence)}"
    if token.verified:
        why = f"It was last verified on {day(token.verified)}, so it was revoked or has expired"
    else:
        why = "It was never verified, so it may be wrong, revoked or expired"
    if token.kind is TokenKind.API_KEY:
        why = "It may have expired, lack the scope for channels, or belong to a user without a seat"
    if token.kind is TokenKind.PROVIDER:
        why = "It may have expired, or be for other channels"
    why += ", or a proxy responded: the response is a web page" if refusal.page else ""
    renewed = _is_supplied(evidence) or token.kind in (TokenKind.API_KEY, TokenKind.PROVIDER)
    command = _replacement_step(evidence) if renewed else _run("status", token.organization)
    is_verified = token.verified or token.kind is not TokenKind.SITE
    scheme = "" if is_verified else other_scheme(token.scheme.value, asked=refusal.asked)
    text = f"{what} (HTTP {refusal.status}, {refusal.url}). {why}. {scheme}".rstrip()
    return Diagnosis("refused", f"{text}{evidence.also}", command)


def _of_token(evidence: Evidence, code: str, why: str, command: str) -> Diagnosis:
    """Return a diagnosis whose sentence begins with the token and its source."""
    name = named(evidence.token) if evidence.token else "the token"
    what = f"{capitalized(name)} from {_place(evidence)} {why}"
    return _reason(evidence, code, what, command)


def _reason(evidence: Evidence, code: str, what: str, command: str) -> Diagnosis:
    """Return a diagnosis with the status, the URL and the other credential after ``what``."""
    refusal = evidence.refusal
    text = f"{what} (HTTP {refusal.status} for {refusal.url}).{evidence.also}"
    return Diagnosis(code, text, command)


def _replacement_step(evidence: Evidence) -> str:
    """Return how to get a token that works."""
    token = evidence.token
    if token is not None and token.kind is TokenKind.API_KEY and not _is_supplied(evidence):
        return _run("login", *(("--at", evidence.site) if evidence.site else ()))
    if token is not None and token.kind is TokenKind.PROVIDER:
        return _run("provider", "test", token.organization)
    if _is_supplied(evidence) or token is None:
        test = command_line("test", evidence.refusal.channel)
        return f"Put a new one into {evidence.source}, then run: {test}"
    if token.kind is TokenKind.SITE:
        return f"Run: conda token {renewal(token)}"
    return _run("install", "--org", token.organization)


def _is_supplied(evidence: Evidence) -> bool:
    return evidence.token is not None and is_supplied(evidence.token, source=evidence.source)


def _place(evidence: Evidence) -> str:
    return f"the {evidence.source} store" if evidence.source in STORED_IN else evidence.source


def _last_valid(token: Token | None) -> str:
    """Return the day on which the token was last known to be valid."""
    moments = (token.issued, token.verified) if token else ()
    return day(max(filter(None, moments), default=None))


def _run(*words: str) -> str:
    return f"Run: {command_line(*words)}"

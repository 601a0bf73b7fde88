"""Word why a channel refused a request, with the command to run next. Pure.

The first row that applies:

| what is known                                                  | code            |
|----------------------------------------------------------------|-----------------|
| a header names a proxy or firewall that answered               | intercepted     |
| the URL contains credentials                                   | own_credentials |
| no token covers the URL                                        | no_token        |
| the server returns the file if no token is sent                | works_without   |
| conda is not configured to ask this plugin about the URL       | not_asked       |
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
from shlex import join
from typing import TYPE_CHECKING

from conda_token_plugin.errors.organization import NoSeat
from conda_token_plugin.tokens.display import KEPT_IN, named
from conda_token_plugin.tokens.reconcile import SyncOutcome
from conda_token_plugin.tokens.scope import channel_of
from conda_token_plugin.tokens.token import State, TokenKind

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.errors.organization import OrganizationError
    from conda_token_plugin.tokens.token import Token

SHARED = "(shared)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRefusal:
    """A refused request."""

    url: str
    """Without secrets."""
    status: int
    interceptor: str = ""
    """The proxy or firewall that answered instead of the repository, by a header."""
    page: bool = False
    """Whether the answer is a web page."""
    own_credentials: bool = False

    @property
    def channel(self) -> str:
        """The channel that the URL lies in: without subdir and file."""
        return channel_of(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known about a refusal. None: it was not asked."""

    refusal: ChannelRefusal
    now: datetime
    organization: str = ""
    """The organization that the URL belongs to; ``SHARED`` for a channel of all organizations,
    "" for a URL outside of the repository."""
    token: Token | None = None
    source: str = ""
    also: str = ""
    """A sentence about the other credential for the URL, with a leading blank; or ""."""
    elsewhere: bool | None = None
    """Whether the repository accepts the token for another channel."""
    outcome: SyncOutcome | None = None
    """What the service says about the token."""
    service_refused: OrganizationError | None = None
    sent: bool = True
    """Whether conda is configured to ask this plugin about the URL."""
    public: bool = False
    """Whether the server returns the file if no token is sent."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A reason with a stable code, and the next command."""

    code: str
    what: str
    command: str

    @property
    def text(self) -> str:
        """Both in one line."""
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
    """Return the first row of the table that applies; None if no token is concerned."""
    refusal, token = evidence.refusal, evidence.token
    if token is None and not evidence.organization:
        return None
    if refusal.interceptor:
        return _intercepted(evidence)
    if refusal.own_credentials:
        return _own_credentials(evidence)
    if token is None:
        return _no_token(evidence)
    return _by_request(evidence) or _by_inquiry(evidence) or _by_metadata(token, evidence)


def _intercepted(evidence: Evidence) -> Diagnosis:
    who = evidence.refusal.interceptor
    what = f"A proxy or firewall ({who}) answered instead of the repository"
    return _said(evidence, "intercepted", what, _run("test", evidence.refusal.channel))


def _own_credentials(evidence: Evidence) -> Diagnosis:
    what = "The channel's URL contains credentials, so no stored token was sent"
    command = f"Remove them from the URL, then run: {_words('which', evidence.refusal.channel)}"
    return _said(evidence, "own_credentials", what, command)


def _no_token(evidence: Evidence) -> Diagnosis:
    organization = evidence.organization
    if organization == SHARED:
        return _said(evidence, "no_token", "No token is stored for this channel", _run("install"))
    what = f"No token is stored for the organization {organization!r}"
    return _said(evidence, "no_token", what, _run("install", "--org", organization))


def _by_request(evidence: Evidence) -> Diagnosis | None:
    url = evidence.refusal.channel
    if evidence.public:
        why = "is not needed: the server returns the file if no token is sent"
        return _of_token(evidence, "works_without", why, f"Remove {url} from the token's channels.")
    if not evidence.sent:
        why = "was not sent: conda is not configured to ask this plugin about the channel"
        entry = f'channel_settings: [{{channel: "{url}/*", auth: conda-token-plugin}}]'
        return _of_token(evidence, "not_asked", why, f"Add to your condarc: {entry}")
    return None


def _by_inquiry(evidence: Evidence) -> Diagnosis | None:
    if evidence.elsewhere or (evidence.outcome and evidence.outcome.works):
        return _not_for_this(evidence)
    if evidence.service_refused is not None:
        return _no_longer_entitled(evidence, evidence.service_refused)
    return _OUTCOMES[evidence.outcome](evidence) if evidence.outcome in _OUTCOMES else None


def _by_metadata(token: Token, evidence: Evidence) -> Diagnosis:
    state = token.state(now=evidence.now)
    if state is State.EXPIRED:
        return _of_token(evidence, "expired", f"expired on {_day(token.dies)}", _anew(evidence))
    if state is State.CANCELLED:
        return _cancelled(evidence)
    return _revoked(evidence) if state is State.REVOKED else _refused(token, evidence)


def _not_for_this(evidence: Evidence) -> Diagnosis:
    why = "is valid, but not for this organization or channel"
    return _of_token(evidence, "not_for_this", why, _run("which", evidence.refusal.url))


def _no_longer_entitled(evidence: Evidence, error: OrganizationError) -> Diagnosis:
    if isinstance(error, NoSeat):
        why = "was rejected: you no longer have a seat in the organization"
        return _of_token(evidence, "no_seat", why, error.hint)
    why = f"was rejected. {error.what.rstrip('.')}"
    return _of_token(evidence, "refused", why, error.hint or _run("whoami"))


def _reissued(evidence: Evidence) -> Diagnosis:
    since = _day(_last_good(evidence.token))
    why = f"was revoked: another one was issued elsewhere after {since}"
    return _of_token(evidence, "reissued", why, _anew(evidence))


def _revoked(evidence: Evidence) -> Diagnosis:
    since = _day(_last_good(evidence.token))
    individual = evidence.token is not None and evidence.token.kind is TokenKind.INDIVIDUAL
    or_seat = ", or your seat was removed" if individual else ""
    why = f"was revoked or reissued elsewhere after {since}{or_seat}"
    return _of_token(evidence, "revoked", why, _anew(evidence))


def _cancelled(evidence: Evidence) -> Diagnosis:
    why = "expired with the organization's subscription, which was cancelled"
    return _of_token(evidence, "cancelled", why, _after_renewal(evidence))


def _ended(evidence: Evidence) -> Diagnosis:
    ends = evidence.token.subscription_ends if evidence.token else None
    why = f"expired with the organization's subscription, which ended on {_day(ends)}"
    return _of_token(evidence, "ended", why, _after_renewal(evidence))


def _refused(token: Token, evidence: Evidence) -> Diagnosis:
    refusal = evidence.refusal
    what = f"The server rejected {named(token)} from {_place(evidence)}"
    if token.proven:
        why = f"It was last verified on {_day(token.proven)}, so it was revoked or has expired"
    else:
        why = "It was never verified, so it may be wrong, revoked or expired"
    if token.kind is TokenKind.API_KEY:
        why = "It may have expired, lack the scope for channels, or belong to a user without a seat"
    if refusal.page:
        why += ", or a proxy answered: the answer is a web page"
    renewed = _is_supplied(evidence) or token.kind is TokenKind.API_KEY
    command = _anew(evidence) if renewed else _run("status", token.organization)
    text = f"{what} (HTTP {refusal.status}, {refusal.url}). {why}."
    return Diagnosis("refused", f"{text}{evidence.also}", command)


def _of_token(evidence: Evidence, code: str, why: str, command: str) -> Diagnosis:
    name = named(evidence.token) if evidence.token else "the token"
    what = f"T{name[1:]} from {_place(evidence)} {why}"
    return _said(evidence, code, what, command)


def _said(evidence: Evidence, code: str, what: str, command: str) -> Diagnosis:
    refusal = evidence.refusal
    text = f"{what} (HTTP {refusal.status} for {refusal.url}).{evidence.also}"
    return Diagnosis(code, text, command)


def _anew(evidence: Evidence) -> str:
    """Return the command that gets a token that works."""
    token = evidence.token
    if token is not None and token.kind is TokenKind.API_KEY:
        return _run("login")
    if _is_supplied(evidence) or token is None:
        test = _words("test", evidence.refusal.channel)
        return f"Put a new one into {evidence.source}, then run: {test}"
    site = ("--site",) if token.kind is TokenKind.SITE else ()
    return _run("install", *site, "--org", token.organization)


def _after_renewal(evidence: Evidence) -> str:
    organization = evidence.token.organization if evidence.token else evidence.organization
    return f"When it is renewed, run: {_words('sync', organization)}"


def _is_supplied(evidence: Evidence) -> bool:
    """Return whether the token is in a variable or a mounted file, and not in a store.

    An imported token is of an unknown kind as well, and is in a store.
    """
    unknown = evidence.token is not None and evidence.token.kind is TokenKind.UNKNOWN
    return unknown and evidence.source not in KEPT_IN


def _place(evidence: Evidence) -> str:
    is_key = evidence.token is not None and evidence.token.kind is TokenKind.API_KEY
    return evidence.source if is_key or _is_supplied(evidence) else f"the {evidence.source} store"


def _last_good(token: Token | None) -> datetime | None:
    """Return when the token was last known to be valid."""
    moments = (token.issued, token.proven) if token else ()
    known = [moment for moment in moments if moment is not None]
    return max(known, default=None)


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "an unknown date"


def _run(*words: str) -> str:
    return f"Run: {_words(*words)}"


def _words(*words: str) -> str:
    """Return a command, quoted for a shell: a channel's URL may be from an untrusted file."""
    return join(("conda", "token", *words))


_OUTCOMES = {
    SyncOutcome.REISSUED: _reissued,
    SyncOutcome.REVOKED: _revoked,
    SyncOutcome.CANCELLED: _cancelled,
    SyncOutcome.ENDED: _ended,
}

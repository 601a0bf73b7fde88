"""Why a channel refused, in one line, with the one command to run next. Pure: facts in, words out.

The first row that fits:

| what is known                                                  | code            |
|----------------------------------------------------------------|-----------------|
| a header names a proxy or firewall that answered               | intercepted     |
| the URL carries credentials of its own                         | own_credentials |
| no token covers the URL                                        | no_token        |
| the repository takes the token elsewhere                       | not_for_this    |
| the service: there is no seat                                  | no_seat         |
| the service: no member, or refused for another reason          | refused         |
| the service: another token is the current one                  | reissued        |
| the service: none is                                           | revoked         |
| the service: the subscription has ended, or was cancelled      | ended, cancelled|
| the service: all is well with the token                        | not_for_this    |
| the metadata: it has expired (it was not even sent)            | expired         |
| the metadata: it was revoked, or the subscription cancelled    | revoked, …      |
| nothing more                                                   | refused         |
"""

from __future__ import annotations

from dataclasses import dataclass
from shlex import join
from typing import TYPE_CHECKING

from conda_token_plugin.errors.organization import NoSeat
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
    """What came back, and for what."""

    url: str
    """Without secrets."""
    status: int
    interceptor: str = ""
    """Who answered in the repository's place, by a header of the answer."""
    page: bool = False
    """Whether the answer was for a person to read."""
    own_credentials: bool = False

    @property
    def channel(self) -> str:
        """The channel that the URL lies in: without subdir and file."""
        return channel_of(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known about a refusal; what was not asked is None."""

    refusal: ChannelRefusal
    now: datetime
    organization: str = ""
    """Whose part of the repository the URL lies in; ``SHARED`` for a channel of all of them,
    nothing for a URL outside of the repository."""
    token: Token | None = None
    source: str = ""
    elsewhere: bool | None = None
    """Whether the repository takes the token for another channel."""
    outcome: SyncOutcome | None = None
    """What the service says of the token."""
    service_refused: OrganizationError | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A reason with a stable code, and what to do about it."""

    code: str
    what: str
    command: str

    @property
    def text(self) -> str:
        """One line."""
        return f"{self.what} {self.command}"


def diagnosed(evidence: Evidence) -> Diagnosis | None:
    """The first row of the table; None where it is no business of ours."""
    refusal, token = evidence.refusal, evidence.token
    if token is None and not evidence.organization:
        return None
    if refusal.interceptor:
        return _intercepted(evidence)
    if refusal.own_credentials:
        return _own_credentials(evidence)
    if token is None:
        return _no_token(evidence)
    return _by_inquiry(evidence) or _by_metadata(token, evidence)


def _intercepted(evidence: Evidence) -> Diagnosis:
    who = evidence.refusal.interceptor
    what = f"A proxy or firewall ({who}) answered in the place of the repository"
    return _said(evidence, "intercepted", what, _run("test", evidence.refusal.channel))


def _own_credentials(evidence: Evidence) -> Diagnosis:
    what = "The channel's URL carries credentials of its own, so no stored token was sent"
    command = f"Take them out of the URL, then run: {_words('which', evidence.refusal.channel)}"
    return _said(evidence, "own_credentials", what, command)


def _no_token(evidence: Evidence) -> Diagnosis:
    organization = evidence.organization
    if organization == SHARED:
        return _said(evidence, "no_token", "There is no token for this channel", _run("install"))
    what = f"There is no token for the organization {organization!r}"
    return _said(evidence, "no_token", what, _run("install", "--org", organization))


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
        why = "is not accepted: you have no seat in the organization any more"
        return _of_token(evidence, "no_seat", why, error.hint)
    why = f"is not accepted. {error.what.rstrip('.')}"
    return _of_token(evidence, "refused", why, error.hint or _run("whoami"))


def _reissued(evidence: Evidence) -> Diagnosis:
    since = _day(_last_good(evidence.token))
    why = f"was revoked: another one was issued elsewhere since {since}"
    return _of_token(evidence, "reissued", why, _anew(evidence))


def _revoked(evidence: Evidence) -> Diagnosis:
    since = _day(_last_good(evidence.token))
    individual = evidence.token is not None and evidence.token.kind is TokenKind.INDIVIDUAL
    or_seat = ", or the seat behind it was taken away" if individual else ""
    why = f"was revoked or reissued elsewhere since {since}{or_seat}"
    return _of_token(evidence, "revoked", why, _anew(evidence))


def _cancelled(evidence: Evidence) -> Diagnosis:
    why = "died with the organization's subscription, which was cancelled"
    return _of_token(evidence, "cancelled", why, _after_renewal(evidence))


def _ended(evidence: Evidence) -> Diagnosis:
    ends = evidence.token.subscription_ends if evidence.token else None
    why = f"died with the organization's subscription, which ended on {_day(ends)}"
    return _of_token(evidence, "ended", why, _after_renewal(evidence))


def _refused(token: Token, evidence: Evidence) -> Diagnosis:
    why = f"may have been revoked or reissued elsewhere since {_day(_last_good(token))}"
    if evidence.refusal.page:
        why += " (or a proxy answered: the answer is a web page)"
    command = _anew(evidence) if _is_supplied(evidence) else _run("status", token.organization)
    return _of_token(evidence, "refused", why, command)


def _of_token(evidence: Evidence, code: str, why: str, command: str) -> Diagnosis:
    token = evidence.token
    shown = f" …{token.last_four}" if token and token.last_four else ""
    whose = f" of {token.organization}" if token and not token.organization.startswith("(") else ""
    what = f"The token{shown}{whose} from {_place(evidence)} {why}"
    return _said(evidence, code, what, command)


def _said(evidence: Evidence, code: str, what: str, command: str) -> Diagnosis:
    refusal = evidence.refusal
    return Diagnosis(code, f"{what} (HTTP {refusal.status} for {refusal.url}).", command)


def _anew(evidence: Evidence) -> str:
    """How to get a token that works."""
    token = evidence.token
    if _is_supplied(evidence) or token is None:
        test = _words("test", evidence.refusal.channel)
        return f"Put a new one into {evidence.source}, then run: {test}"
    site = ("--site",) if token.kind is TokenKind.SITE else ()
    return _run("install", *site, "--org", token.organization)


def _after_renewal(evidence: Evidence) -> str:
    organization = evidence.token.organization if evidence.token else evidence.organization
    return f"When it is renewed, run: {_words('sync', organization)}"


def _is_supplied(evidence: Evidence) -> bool:
    """Whether the token is not ours to replace: a variable or a mounted file holds it."""
    return evidence.token is not None and evidence.token.kind is TokenKind.UNKNOWN


def _place(evidence: Evidence) -> str:
    return evidence.source if _is_supplied(evidence) else f"the {evidence.source} store"


def _last_good(token: Token | None) -> datetime | None:
    """When it was last known to be good."""
    moments = (token.issued, token.proven) if token else ()
    known = [moment for moment in moments if moment is not None]
    return max(known, default=None)


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "a date that is not known"


def _run(*words: str) -> str:
    return f"Run: {_words(*words)}"


def _words(*words: str) -> str:
    """A command to be pasted into a shell; names in a channel's URL are whoever's who wrote it."""
    return join(("conda", "token", *words))


_OUTCOMES = {
    SyncOutcome.REISSUED: _reissued,
    SyncOutcome.REVOKED: _revoked,
    SyncOutcome.CANCELLED: _cancelled,
    SyncOutcome.ENDED: _ended,
}

"""What can go wrong, as one tree; every error composes one line: what, where, what to type next.

    TokenPluginError ................ 1  (never raised itself)
    ├── NoToken ..................... 1  nothing is stored for what was asked
    ├── CheckFailed ................. 1  a check ran and its answer is no
    ├── OutputLost .................. 1  standard output cannot be written
    ├── BadInput .................... 2  the command line or a file that the user named
    │   ├── Supplied .................... the environment supplies the token, not the store
    │   ├── MalformedToken
    │   ├── MalformedURL
    │   └── NeedsAnswer ............. 2  a question, and no terminal to ask it on
    ├── LoginError .................. 3
    │   ├── NotLoggedIn
    │   ├── LoginRefused ................ the service does not take the API key
    │   └── LoginAbandoned .............. denied, expired, or never finished
    ├── OrganizationError ........... 4
    │   ├── NoSuchOrganization
    │   ├── NoOrganization
    │   ├── NoSeat
    │   ├── SubscriptionOver
    │   ├── ExtensionRefused ............ an administrator's sync was refused
    │   └── IssueRefused ................ refused, and the service gave another reason
    ├── ServiceError ................ 5
    │   ├── ServiceUnreachable
    │   │   └── AnswerLost .............. the request went out, and no answer came back
    │   ├── ServiceFault ................ it answered 5xx
    │   ├── ServiceBusy ................. it answered 429
    │   ├── ServiceNonsense ............. an answer that is not what its API promises
    │   ├── IssueUncertain .............. it may have issued a token, and the token is lost
    │   ├── NoChannel ................... the address is no channel, so nothing is proven
    │   └── TokenRefused ................ the repository does not take the token
    ├── StoreError .................. 6
    │   ├── StoreCorrupt
    │   ├── StoreNewer .................. written by a later version of this plugin
    │   ├── StoreBusy ................... another process holds the lock
    │   ├── StoreUnusable ............... cannot be read or written: mode, disk, read-only home
    │   ├── IssueLost ................... a token was issued, and could not be stored
    │   ├── SecretLost .................. someone else deleted a secret that the store names
    │   └── KeyringUnusable ............. absent, locked, refused, or too slow to answer
    ├── ConfigurationError .......... 7  a condarc or another tool's file
    ├── NotConfirmed ................ 8  a yes was needed and not given
    └── Interrupted ................. 130

Exit codes are those numbers. Facts go in, words come out: nothing else in the package words errors.
No error ever takes a secret; a URL is shown without user, password, token and query.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

TO_BE_VEILED = r"(?i)(?<![a-z0-9])[a-z0-9]{48}(?![a-z0-9])|eyj[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
"""Today's tokens and API keys. People type them in the place of a name; that is no reason to say
them again where a log keeps it. Compiled by the first error: the first request waits for this
module, and has none."""


class TokenPluginError(Exception):
    """The base of all: ``what`` went wrong, and the ``hint``: what to do next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, hint: str = "") -> None:
        """Compose one line of ``what`` and ``hint``, each a sentence without a line break."""
        self.what, self.hint = (
            re.sub(TO_BE_VEILED, "…", " ".join(s.split())) for s in (what, hint)
        )
        super().__init__(f"{self.what} {self.hint}".rstrip())

    def hinting(self, hint: str) -> TokenPluginError:
        """The same error, with ``hint`` after what it says to do."""
        error = type(self).__new__(type(self))
        TokenPluginError.__init__(error, self.what, hint=f"{self.hint} {hint}".lstrip())
        return error


class NoToken(TokenPluginError):
    """Nothing is stored for what was asked."""

    @classmethod
    def for_organization(cls, organization: str, *, known: Iterable[str] = ()) -> NoToken:
        """No token of this organization is stored; those of ``known`` are."""
        from difflib import get_close_matches

        names = sorted(known)
        close = get_close_matches(organization, names, n=1)
        return cls(
            f"No token is stored for the organization {organization!r}"
            + (f" (stored: {', '.join(names)})." if names else " (none is stored at all)."),
            hint=f"Did you mean {close[0]!r}? See: conda token list"
            if close
            else f"Run: conda token install --org {organization}",
        )

    @classmethod
    def for_url(cls, url: str) -> NoToken:
        """No token covers this URL."""
        return cls(
            f"No token covers {url}: it would be requested without one.",
            hint="Run: conda token list",
        )


class CheckFailed(TokenPluginError):
    """A check ran and its answer is no; the command has already said the details."""


class OutputLost(TokenPluginError):
    """Standard output cannot be written: what was done is done, but could not be told."""

    def __init__(self, reason: str) -> None:
        """``reason`` is the system's own: "No space left on device"."""
        super().__init__(f"The output could not be written: {reason}.")


class BadInput(TokenPluginError):
    """Something that the user typed, pasted or named cannot be used."""

    exit_code = 2


class Supplied(BadInput):
    """A token that is not the store's to remove or to replace: the environment supplies it."""

    def __init__(self, organization: str, *, source: str) -> None:
        """``source`` is the variable or the file that supplies it."""
        super().__init__(
            f"The token of {organization!r} is supplied by {source}, which comes before the store.",
            hint=f"To use another one, or none, take {source} away.",
        )


class MalformedToken(BadInput):
    """A value that cannot be a token. Never shows the value."""

    def __init__(self, fault: str, *, where: str = "") -> None:
        """``fault`` says what is wrong, in words that do not show the value.

        ``where`` is the variable or file that holds it, if it was not typed.
        """
        self.fault = fault
        super().__init__(
            f"What {where} holds is not a token or key: {fault}."
            if where
            else f"That is not a token: {fault}.",
            hint=f"{'Put it there' if where else 'Paste the token'} alone, "
            "without quotes, blanks or line breaks.",
        )


class MalformedURL(BadInput):
    """A URL that no token may be sent to, or that is no URL."""

    def __init__(self, url: str, fault: str) -> None:
        """``url`` is shown as given by the caller, who has taken secrets out of it."""
        super().__init__(
            f"{url!r} is not a channel URL that a token can be sent to: {fault}.",
            hint="Use https://HOST/PATH (http only for this machine itself).",
        )


class NeedsAnswer(BadInput):
    """A question had to be asked, and there is no terminal to ask it on."""

    def __init__(self, question: str, *, flag: str) -> None:
        """``flag`` is the option that answers ``question``."""
        super().__init__(f"{question} There is no terminal to ask on.", hint=f"Answer with {flag}.")


class LoginError(TokenPluginError):
    """Who you are could not be established."""

    exit_code = 3


class NotLoggedIn(LoginError):
    """No API key was found anywhere."""

    def __init__(self, *, elsewhere: Iterable[str] = ()) -> None:
        """``elsewhere``: domains that anaconda-auth has a login for, none of them this service."""
        domain = next(iter(sorted(elsewhere)), "")
        super().__init__(
            "You are not logged in: no API key was found."
            + (f" (There is a login of anaconda-auth for {domain}.)" if domain else ""),
            hint=f"To use it, set ANACONDA_AUTH_DOMAIN={domain}; otherwise run: conda token login"
            if domain
            else "Run: conda token login   (or set ANACONDA_AUTH_API_KEY)",
        )


class LoginRefused(LoginError):
    """The service does not accept the API key."""

    def __init__(
        self,
        *,
        service: str,
        source: str,
        expired: datetime | None = None,
        hint: str = "",
    ) -> None:
        """``source`` names where the key was found; ``expired`` is when, where the key says so."""
        command = "Run: conda token login"
        if source.startswith("ANACONDA_"):  # a variable, which goes before any login
            command = "Give it another value, or unset it and run: conda token login"
        super().__init__(
            f"The API key from {source} expired on {expired:%Y-%m-%d}."
            if expired
            else f"{service} does not accept the API key from {source}: "
            "it is wrong or has expired.",
            hint=hint or command,
        )


class LoginAbandoned(LoginError):
    """The login was denied, expired, or never finished."""

    def __init__(self, reason: str, *, hint: str = "Run: conda token login") -> None:
        """``reason`` finishes the sentence "The login …"."""
        super().__init__(f"The login {reason}. Nothing was changed.", hint=hint)


class OrganizationError(TokenPluginError):
    """The service knows you, and the organization says no."""

    exit_code = 4


class NoSuchOrganization(OrganizationError):
    """The login is not a member of such an organization."""

    def __init__(self, organization: str, *, known: Mapping[str, str]) -> None:
        """``known`` are the organizations of this login: slug to title. People type either."""
        from difflib import get_close_matches

        names = ", ".join(sorted(known))
        slugs = {name.casefold(): slug for slug in known for name in (known[slug], slug)}
        close = get_close_matches(organization.casefold(), slugs, n=1)
        super().__init__(
            f"This login belongs to no organization {organization!r}"
            + (f"; it belongs to: {names}." if names else " and to no other either."),
            hint=f"Did you mean: conda token install --org {slugs[close[0]]}" if close else "",
        )


class NoOrganization(OrganizationError):
    """The login belongs to no organization that it could issue a token for."""

    def __init__(self, *, member_of: Iterable[str] = ()) -> None:
        """``member_of``: organizations it belongs to, none of which has a subscription."""
        names = ", ".join(sorted(member_of))
        super().__init__(
            "This login can issue no token: it belongs to "
            + (f"{names}, without a subscription." if names else "no organization."),
            hint="Ask your organization's administrator for a seat, or for a site token.",
        )


class NoSeat(OrganizationError):
    """The organization has not assigned a seat to this user."""

    def __init__(self, organization: str) -> None:
        """Name the way out that needs no seat, too."""
        super().__init__(
            f"You have no seat in the organization {organization!r}, so no token was issued.",
            hint="Ask its administrator for a seat, or for a site token: "
            f"conda token install --site --org {organization}",
        )


class SubscriptionOver(OrganizationError):
    """The organization's subscription has ended or was cancelled."""

    def __init__(self, organization: str, *, ended: datetime | None, cancelled: bool) -> None:
        """``ended`` is when, where the service says so."""
        how = "was cancelled" if cancelled else "has ended"
        on = f" on {ended:%Y-%m-%d}" if ended else ""
        super().__init__(
            f"The subscription of the organization {organization!r} {how}{on}, "
            "so no token was issued.",
            hint="Ask its administrator to renew the subscription, then run this again.",
        )


class IssueRefused(OrganizationError):
    """The service refused to issue, for a reason of its own."""

    def __init__(self, organization: str, *, status: int, reason: str) -> None:
        """``reason`` is the service's own text, without line breaks and cut to a line."""
        self.status = status
        said = f" and says: {reason}" if reason else ""
        super().__init__(
            f"The service refused a token for {organization!r} (HTTP {status}){said}.",
            hint="Ask your organization's administrator.",
        )


class ExtensionRefused(OrganizationError):
    """The service did not let an administrator extend a token."""

    def __init__(self, organization: str, *, status: int, reason: str) -> None:
        """``reason`` is the service's own text, without line breaks and cut to a line."""
        said = f" and says: {reason}" if reason else ""
        super().__init__(
            f"The service did not extend the token of {organization!r} (HTTP {status}){said}.",
            hint="Check that the service account belongs to this organization.",
        )


class ServiceError(TokenPluginError):
    """The service or the repository could not be used."""

    exit_code = 5


class ServiceUnreachable(ServiceError):
    """No answer: name resolution, connection, TLS, or a time-out."""

    def __init__(self, url: str, *, reason: str, outcome: str = "Nothing was changed.") -> None:
        """``reason`` is short: "no such host", "timed out after 10 s"."""
        super().__init__(
            f"{url} could not be reached: {reason}. {outcome}",
            hint="Check the network and the proxy settings, then run this again.",
        )


class AnswerLost(ServiceUnreachable):
    """The request went out, and no answer came back: what it did there is not known."""


class ServiceFault(ServiceError):
    """The service answered 5xx."""

    def __init__(self, url: str, *, status: int) -> None:
        """``status`` is the HTTP status."""
        self.status = status
        super().__init__(
            f"{url} failed (HTTP {status}).", hint="Nothing is wrong here; try again later."
        )


class ServiceBusy(ServiceError):
    """The service answered 429."""

    def __init__(self, url: str, *, retry_after: float | None) -> None:
        """``retry_after`` in seconds, where the service said so."""
        self.retry_after = retry_after
        seconds = "a minute" if retry_after is None else f"{retry_after:.0f} seconds"
        when = "in 1 second" if seconds == "1 seconds" else f"in {seconds}"
        super().__init__(f"{url} asks to slow down (HTTP 429).", hint=f"Run this again {when}.")


class ServiceNonsense(ServiceError):
    """An answer that is not what the API promises: HTML, half a JSON, a missing key."""

    def __init__(self, url: str, *, got: str) -> None:
        """``got`` describes the answer and never quotes it."""
        super().__init__(
            f"{url} answered with {got}.",
            hint="A proxy or a login page may be in between: open the address in a browser.",
        )


class IssueUncertain(ServiceError):
    """No token came back from an issue that may have happened all the same."""

    def __init__(self, url: str, *, organization: str, reason: str) -> None:
        """``reason`` finishes the sentence "URL …"."""
        super().__init__(
            f"A token of {organization!r} was asked for, and {url} {reason}: it may have been "
            "issued, and the one before it revoked.",
            hint=f"Run this to issue another: conda token install --org {organization}",
        )


class NoChannel(ServiceError):
    """None of the addresses is a channel, so that a token cannot be proven there."""

    def __init__(self, url: str, *, outcome: str) -> None:
        """``outcome`` says what became of the token: "It is stored all the same."."""
        super().__init__(
            f"{url} is no channel (HTTP 404), so the token could not be tried. {outcome}",
            hint="Check the URL, or try a channel of it: conda token test URL",
        )


class TokenRefused(ServiceError):
    """The repository does not take a token that was just tried."""

    def __init__(self, url: str, *, status: int, last_four: str, outcome: str) -> None:
        """``outcome`` says what became of the token: "It is stored all the same."."""
        super().__init__(
            f"{url} does not accept the token …{last_four} (HTTP {status}). {outcome}",
            hint="Run: conda token status",
        )


class StoreError(TokenPluginError):
    """The store of tokens cannot be used as it is."""

    exit_code = 6


class StoreCorrupt(StoreError):
    """A file of the store is not what was written. It is left untouched."""

    def __init__(self, path: Path, *, fault: str) -> None:
        """``fault`` says how it shows, without a byte of the content."""
        super().__init__(
            f"{path} is damaged ({fault}) and was left as it is.",
            hint=f"Restore it from a backup, or move it away ({path.name}.bak) "
            "and run: conda token install",
        )


class StoreNewer(StoreError):
    """A file of the store was written by a later version of this plugin."""

    def __init__(self, path: Path, *, version: object) -> None:
        """``version`` is the format version that the file claims."""
        super().__init__(
            f"{path} has format version {version!r}, which this version cannot read; "
            "it was left as it is.",
            hint="Update: conda update -n base conda-token-plugin",
        )


class StoreBusy(StoreError):
    """Another process holds the lock for longer than we wait."""

    def __init__(self, path: Path, *, waited: float) -> None:
        """``waited`` in seconds."""
        super().__init__(
            f"Another process has kept {path} locked for {waited:.0f} seconds.",
            hint="Run this again when it has finished.",
        )


class StoreUnusable(StoreError):
    """A file or folder of the store cannot be read or written."""

    def __init__(self, path: Path, *, reason: str, hint: str = "") -> None:
        """``reason`` is the system's own: "Read-only file system"."""
        super().__init__(
            f"{path} cannot be used: {reason}. Nothing was changed.",
            hint=hint or "Make it writable, or choose another folder with CONDA_TOKEN_HOME.",
        )


class IssueLost(StoreError):
    """A token was issued, and the store failed only then: it is gone, as is the one before it."""

    def __init__(self, organization: str, *, cause: StoreError) -> None:
        """``cause`` is what the store said; that "nothing was changed" is not true of the issue."""
        reason = cause.what.removesuffix("Nothing was changed.").rstrip(" .")
        super().__init__(
            f"A token of {organization!r} was issued and is lost, and the one before it is revoked:"
            f" {reason}.",
            hint=f"{cause.hint} Then run: conda token install --org {organization}".lstrip(),
        )


class SecretLost(StoreError):
    """The store names a secret, and the vault it lies in has it no more."""

    def __init__(self, what: str, *, vault: str, command: str) -> None:
        """``what``: "token of 'acme'"; ``command`` gets another."""
        super().__init__(
            f"The {what} is gone from the {vault}: it was deleted there, "
            "or lies on another machine.",
            hint=f"Run: {command}",
        )


class KeyringUnusable(StoreError):
    """The system keyring is absent, locked, refused, or too slow to answer."""

    def __init__(self, reason: str) -> None:
        """``reason`` finishes the sentence "The system keyring …"."""
        super().__init__(
            f"The system keyring {reason}.",
            hint=f"{'Unlock it, or k' if 'locked' in reason else 'K'}eep the token in a file "
            "with --store file.",
        )


class ConfigurationError(TokenPluginError):
    """A condarc or another tool's file cannot be read or written."""

    exit_code = 7

    def __init__(self, path: Path, *, reason: str, hint: str = "") -> None:
        """``reason`` finishes the sentence "PATH …"."""
        super().__init__(f"{path} {reason}.", hint=hint or "Mend the file, then run this again.")


class NotConfirmed(TokenPluginError):
    """A yes was needed and not given."""

    exit_code = 8

    def __init__(self, what: str = "Nothing was changed.") -> None:
        """Say that nothing happened."""
        super().__init__(what)


class Interrupted(TokenPluginError):
    """Interrupted by Ctrl-C or the end of input, at a prompt or a wait."""

    exit_code = 130

    def __init__(self, what: str = "Interrupted: nothing was changed.") -> None:
        """Say what is so now."""
        super().__init__(what)

"""All errors as one tree. Each has what failed and why, and a hint with the next command.

    TokenPluginError ................ 1  the base, never raised
    ├── NoToken ..................... 1  nothing is stored for what was asked
    ├── CheckFailed ................. 1  a check ran and failed
    ├── OutputLost .................. 1  standard output cannot be written
    ├── MissingLibrary .............. 1  a library that this plugin needs is not installed
    ├── BadInput .................... 2  the command line, or a file that the user named
    │   ├── HeldElsewhere ............... it would revoke a token of another machine
    │   ├── Supplied .................... the environment supplies the token, not the store
    │   ├── MalformedToken
    │   │   └── MalformedPassword
    │   ├── MalformedURL
    │   ├── UnknownSite
    │   └── NeedsAnswer ............. 2  a question, and no terminal to ask it on
    ├── LoginError .................. 3
    │   ├── NotLoggedIn
    │   ├── LoginRefused ................ the service rejects the API key
    │   └── LoginIncomplete ............. denied, expired, or not finished
    ├── OrganizationError ........... 4
    │   ├── NoSuchOrganization
    │   ├── NoOrganization
    │   ├── NoSeat
    │   ├── SubscriptionEnded
    │   ├── ExtensionRefused ............ an administrator's sync was refused
    │   └── IssueRefused ................ refused for another reason
    ├── ServiceError ................ 5
    │   ├── ServiceUnreachable
    │   │   └── ResponseLost ............ the request was sent, and there was no response
    │   ├── ServiceFault ................ a response 5xx
    │   ├── ServiceBusy ................. a response 429
    │   ├── UnexpectedResponse .......... a response that its API does not allow
    │   ├── IssueUncertain .............. a token may have been issued and lost
    │   ├── NoChannel ................... the URL is not a channel, so nothing was verified
    │   └── TokenRefused ................ the repository rejects the token
    ├── StoreError .................. 6
    │   ├── StoreCorrupt
    │   ├── StoreNewer .................. written by a later version of this plugin
    │   ├── StoreBusy ................... another process holds the lock
    │   ├── StoreUnusable ............... cannot be read or written: mode, disk, read-only home
    │   ├── IssueLost ................... a token was issued, and could not be stored
    │   ├── SecretLost .................. another program deleted a stored secret
    │   ├── ProviderFailed .............. a command supplied no valid credential
    │   ├── NothingSupplied ............. a command says that no credential is needed
    │   └── KeyringUnusable ............. absent, locked, refused, or too slow to answer
    ├── ConfigurationError .......... 7  a condarc or another tool's file
    ├── NotConfirmed ................ 8  the user did not confirm
    └── Interrupted ................. 130

The numbers are exit codes. Each code has a module of its own, because creating 40 classes takes
time in every download. A class that takes facts composes its message from them. `BadInput`,
`CheckFailed` and `NoToken` also take a message, for faults that only one caller can have.
No error takes a secret; URLs are shown without user name, password, token and query.
"""

from __future__ import annotations

import re
from typing import ClassVar

CREDENTIAL_FORMAT = (
    r"(?i)(?<![a-z0-9])[a-z0-9]{48}(?![a-z0-9])|eyj[\w-]{8,512}\.[\w-]{8,}(?:\.[\w-]*)?"
)
"""Pattern of tokens and API keys. People type them in the place of a name, and a log would keep
the message. The header of an API key has less than 512 characters; without a limit, the work grows
with the square of a text. Compiled by the first error, because most commands have none."""
_BEFORE_AT = r"(?<![^\s/?#'\"])[^\s/?#'\"]*@"
"""Pattern of what can be user and password in a URL, also in one that is not valid. Because of the
condition at its beginning, its work grows with the length of a text, and not with the square."""

_IN_PATH = r"(^|/)(t|%74)/[^/?#<…]{8,}"
"""Pattern of a token in the path of a URL, which may lack its beginning."""


class TokenPluginError(Exception):
    """Base class: `what` failed, and a `hint` at what to do next."""

    exit_code: ClassVar[int] = 1
    is_fault: ClassVar[bool] = True
    """Whether a conda command warns about it."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        """Take one or more sentences each; line breaks become spaces, secrets become "…"."""
        self.what, self.hint = (_redacted(" ".join(text.split())) for text in (what, hint))
        super().__init__(f"{self.what} {self.hint}".rstrip())

    def with_hint(self, hint: str) -> TokenPluginError:
        """Return the same error with `hint` appended to its hint."""
        error = type(self).__new__(type(self))
        TokenPluginError.__init__(error, self.what, hint=f"{self.hint} {hint}".lstrip())
        return error


def _redacted(text: str) -> str:
    return re.sub(CREDENTIAL_FORMAT, "…", re.sub(r"[^\s'\"]+", _redacted_word, text))


def _redacted_word(found: re.Match[str]) -> str:
    """Return a word without credentials, and without the query if it is a URL."""
    word = re.sub(_BEFORE_AT, _without_login, found[0])
    if ":/" in word:
        word = re.split(r"[?#]", word, maxsplit=1)[0]
        word = re.sub(r"^([a-z0-9]+:/+)[^/@]*@", r"\1…@", word, flags=re.IGNORECASE)
    return re.sub(_IN_PATH, r"\1\2/…", word)


def _without_login(found: re.Match[str]) -> str:
    """Return "…" for user and password, and what is before a "(" in front of them."""
    user, colon, _ = found[0].partition(":")
    return f"{user[: user.rfind('(') + 1]}…@" if colon else found[0]

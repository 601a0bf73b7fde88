"""What can go wrong, as one tree; every error composes one line: what, where, what to type next.

    TokenPluginError ................ 1  (never raised itself)
    ├── NoToken ..................... 1  nothing is stored for what was asked
    ├── CheckFailed ................. 1  a check ran and its answer is no
    ├── OutputLost .................. 1  standard output cannot be written
    ├── BadInput .................... 2  the command line or a file that the user named
    │   ├── HeldElsewhere ............... it would revoke a token of another machine
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

Exit codes are those numbers. Each code has a module of its own, so that a request, which every
download waits for, need not have 40 classes made that it does not raise.
Facts go in, words come out: nothing else in the package words errors.
No error ever takes a secret; a URL is shown without user, password, token and query.
"""

from __future__ import annotations

import re
from typing import ClassVar

TO_BE_VEILED = r"(?i)(?<![a-z0-9])[a-z0-9]{48}(?![a-z0-9])|eyj[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
"""Today's tokens and API keys. People type them in the place of a name; that is no reason to say
them again where a log keeps it. Compiled by the first error, as most commands have none."""


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

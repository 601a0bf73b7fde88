"""A provider: a command of the user that supplies the credential for one prefix. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.tokens.authorization import HEADER, TOKEN
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PRINTS_RESPONSE, PRINTS_TOKEN = "response", "token"
"""What a command prints: a response of the credential-helper protocol, or the secret alone."""
SECONDS, MAX_SECONDS = 10.0, 300.0
"""The default and the longest time limit of a command, in seconds."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/%~-]{0,199}")


class Provider(NamedTuple):
    """A command, the prefix that it supplies a credential for, and how it is run."""

    name: str
    scope: str
    """A normalised prefix (see ``scope``): the credential is sent to URLs below it only."""
    command: tuple[str, ...]
    """The absolute path of the program, and its arguments."""
    prints: str = PRINTS_RESPONSE
    scheme: str = TOKEN
    """The value of an ``AuthScheme``: how a printed secret is sent. Not used for a response,
    which contains the whole header."""
    username: str = ""
    """Only for ``AuthScheme.BASIC``."""
    seconds: float = SECONDS
    """The time limit of the command."""

    @property
    def token(self) -> Token:
        """The metadata of the credential. The command is not run, so its expiry is not known."""
        return Token(
            organization=self.name,
            kind=TokenKind.PROVIDER,
            scope=(self.scope,),
            scheme=AuthScheme(self.scheme if self.prints == PRINTS_TOKEN else HEADER),
            username=self.username,
            home=f"provider:{self.scope}",  # its key must not be that of a stored token
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values for the index, without the name."""
        return {
            "scope": [self.scope],
            "command": list(self.command),
            "prints": self.prints,
            "scheme": self.scheme,
            "username": self.username,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, name: str, entry: Mapping[str, Any]) -> Provider:
        """Return the provider ``name`` for the result of ``as_json``.

        Raises:
            KeyError, TypeError, ValueError: ``as_json`` did not make the entry.
        """
        (scope,) = entry["scope"]
        command, seconds = entry["command"], entry["seconds"]
        words = (name, scope, entry["prints"], entry["scheme"], entry["username"], *command)
        if not (command and isinstance(command, list) and all(isinstance(w, str) for w in words)):
            raise TypeError("texts were expected")
        if entry["prints"] not in (PRINTS_RESPONSE, PRINTS_TOKEN):
            raise ValueError("unknown format")
        if type(seconds) not in (int, float) or not 0 < seconds <= MAX_SECONDS:
            raise ValueError("a time limit was expected")
        scheme = AuthScheme(entry["scheme"]).value
        return cls(
            name, scope, tuple(command), entry["prints"], scheme, entry["username"], float(seconds)
        )

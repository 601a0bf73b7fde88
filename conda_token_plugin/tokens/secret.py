"""A value that must not be shown: a token, an API key or a password.

``Secret`` is the only way a token travels through this package.
``Password`` is the same for Basic authentication, where spaces and non-ASCII characters are valid.
Neither can be printed, formatted, pickled or copied. Only ``reveal()`` returns the value,
and a test lists the places that call it.
``HiddenText`` and ``HeaderValue`` do the same where a ``str`` is needed: for the output of
a command, and for an HTTP header, which conda prints at ``-vv`` and in ``--json`` errors.
"""

from __future__ import annotations

import hmac
from typing import NoReturn

HIDDEN = "<hidden>"
LONGEST = 16_384
"""Longest accepted value, in characters. API keys are JWTs of about 1 to 2 thousand."""
SHORTEST_TO_SHOW = 12
"""Shortest value, in characters, whose last four characters may be shown."""


class _Hidden:
    """Prints redacted, and is not copied, pickled or serialized."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Redacted."""
        return f"{type(self).__name__}({HIDDEN})"

    def __str__(self) -> str:
        """Redacted."""
        return HIDDEN

    def __format__(self, spec: str) -> str:
        """Redacted in every format."""
        return HIDDEN

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse ``pickle``, ``copy`` and ``dataclasses.asdict``.

        Raises:
            TypeError: always.
        """
        raise TypeError("a secret is not copied, pickled or serialized; pass it on")


class Secret(_Hidden):
    """A token or API key; equal in constant time, unhashable, redacted everywhere."""

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]  # a hash helps to guess the secret

    def __init__(self, value: str, /) -> None:
        """Take ``value`` unchanged.

        Raises:
            MalformedToken: ``fault_of`` the value returns a fault.
        """
        fault = self.fault_of(value)
        if fault:
            raise self._malformed(fault)
        self._value = value

    @classmethod
    def fault_of(cls, value: str) -> str:
        """Return why ``value`` cannot be a token, without showing it; empty if it can.

        A token has no spaces, and only characters that are valid in an HTTP header.
        """
        return fault_of(value)

    @staticmethod
    def _malformed(fault: str) -> Exception:
        from conda_token_plugin.errors.input import MalformedToken

        return MalformedToken(fault)

    def reveal(self) -> str:
        """Return the value, only to send or to store it."""
        return self._value

    @property
    def last_four(self) -> str:
        """The last four characters, or an empty text if the value is too short."""
        return self._value[-4:] if len(self._value) >= SHORTEST_TO_SHOW else ""

    @property
    def mark(self) -> str:
        """A short hash, by which an exported value is recognized.

        It has 16 bits, so that it does not help to guess a password.
        """
        from hashlib import sha256

        return sha256(self._value.encode()).hexdigest()[:4]

    def __eq__(self, other: object) -> bool:
        """Compare in a time that does not depend on where the values differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())


class Password(Secret):
    """A password of Basic authentication, kept as it was given. None of it is ever shown.

    It is sent as Base64 of UTF-8, so it can contain every character but control characters
    (RFC 7617, section 2).
    """

    __slots__ = ()

    @classmethod
    def fault_of(cls, value: str) -> str:
        """Return why ``value`` cannot be a password, without showing it; empty if it can."""
        if not value or len(value) > LONGEST:
            return fault_of(value)
        if "\ufffd" in value or any("\ud800" <= character <= "\udfff" for character in value):
            return "it is not valid UTF-8"
        if any(character < " " or "\x7f" <= character <= "\x9f" for character in value):
            return "it contains a control character, such as a line break"
        return ""

    @staticmethod
    def _malformed(fault: str) -> Exception:
        from conda_token_plugin.errors.input import MalformedPassword

        return MalformedPassword(fault)

    @property
    def last_four(self) -> str:
        """Return an empty text: passwords are short, and people use them more than once."""
        return ""


class HeaderSecret(Secret):
    """The whole value of an ``Authorization`` header, as a provider returned it."""

    __slots__ = ()

    @classmethod
    def fault_of(cls, value: str) -> str:
        """Return why ``value`` cannot be a header, without showing it; empty if it can."""
        # It may contain spaces, but not at its ends.
        return fault_of(value.replace(" ", "_") if value == value.strip() else value)


class HiddenText(_Hidden, str):
    """A text with a secret in it, such as the output of a command; it is printed redacted."""

    __slots__ = ()


class HeaderValue(HiddenText):
    """An ``Authorization`` value that is sent whole and printed redacted.

    ``http.client`` calls ``encode()`` on header values, which returns the real bytes.
    Loggers and formatters call ``str`` or ``repr`` (conda 24.11 and 26.7.1).
    """

    __slots__ = ()


NULL_CHARACTERS = "it contains null characters; save it as UTF-8"


def fault_of(value: str) -> str:
    """Return why ``value`` cannot be a secret, without showing it; empty if it can."""
    if not value:
        return "it is empty"
    if len(value) > LONGEST:
        return f"it has {len(value)} characters; at most {LONGEST} are accepted"
    if "\0" in value:  # UTF-16 or UTF-32 without a byte order mark
        return NULL_CHARACTERS
    if any(character.isspace() for character in value):
        return "it contains a space or a line break"
    if not (value.isascii() and value.isprintable()):
        return "it contains a character that is not valid in an HTTP header"
    return ""

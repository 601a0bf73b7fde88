"""A value that must not be seen: a token or an API key.

``Secret`` is the only way a token travels through this package.
It cannot be printed, formatted, pickled, copied or dumped; ``reveal()`` is the one way out,
and a test lists the places that call it.
``HeaderValue`` is the same idea for the one place where a plain ``str`` is needed:
an HTTP header that conda prints at ``-vv`` and in ``--json`` errors.
"""

from __future__ import annotations

import hmac
from typing import NoReturn

HIDDEN = "<hidden>"
LONGEST = 16_384
"""Longest accepted value, in characters. API keys are JWTs of about 1 to 2 thousand."""
SHORTEST_TO_SHOW = 12
"""A value shorter than this, in characters, would be given away by its last four."""


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
        """Redacted, whatever the format asks for."""
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
    __hash__ = None  # type: ignore[assignment]  # a hash of a secret is a way to guess it

    def __init__(self, value: str, /) -> None:
        """Take ``value`` as it is.

        Raises:
            MalformedToken: it is empty, too long, or holds blanks or characters
                that cannot stand in an HTTP header.
        """
        fault = fault_of(value)
        if fault:
            from conda_token_plugin.errors.input import MalformedToken

            raise MalformedToken(fault)
        self._value = value

    def reveal(self) -> str:
        """The value itself: to be put on the wire or into the store, and nowhere else."""
        return self._value

    @property
    def last_four(self) -> str:
        """The last four characters, or nothing where they would give too much away."""
        return self._value[-4:] if len(self._value) >= SHORTEST_TO_SHOW else ""

    def __eq__(self, other: object) -> bool:
        """Compare in a time that does not depend on where the values differ."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())


class HeaderValue(_Hidden, str):
    """An ``Authorization`` value that goes out whole on the wire and prints redacted.

    ``http.client`` calls ``encode()`` on header values, which gives the real bytes;
    loggers and formatters call what is redacted (seen on conda 24.11 and 26.7.1).
    """

    __slots__ = ()


def fault_of(value: str) -> str:
    """What is wrong with ``value`` in words that do not show it; empty when nothing is."""
    if not value:
        return "it is empty"
    if len(value) > LONGEST:
        return f"it has {len(value)} characters; at most {LONGEST} are accepted"
    if any(character.isspace() for character in value):
        return "it holds a blank or a line break"
    if not (value.isascii() and value.isprintable()):
        return "it holds a character that cannot stand in an HTTP header"
    return ""

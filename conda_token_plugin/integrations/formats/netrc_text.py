"""netrc as text: the logins of machines, wherever they are and however they are written. Pure.

The words are those of Python's ``netrc`` (3.11 and later): separated by blanks and line breaks, in
double quotes where they contain some, with a backslash before a character that is taken as it is.
That module only reads, and does not tell where an entry is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conda_token_plugin.integrations.target import Entry
from conda_token_plugin.tokens.url_credentials import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(?:[^ \t\r\n\\]|\\.)+', re.DOTALL)
_REST_OF_LINE = re.compile(r"[^\n]*")
_MACRO = re.compile(r"[^\n]*\n(?:[^\r\n]+\r?\n?)*")
"""A macro runs from its name to an empty line."""
_FIELDS = {"login": "login", "user": "login", "account": "account", "password": "password"}
"""Each word before a value, and the field that it sets."""


@dataclass(slots=True)
class _Machine:
    """The entry of ``host``, from ``start`` to ``end`` of the text."""

    host: str
    start: int
    end: int
    fields: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class NetrcText:
    """The file format. The value of an entry is the JSON list ``[login, password]``."""

    empty: str = ""

    def entries(self, text: str) -> tuple[Entry, ...]:
        """Return the entry of each machine. The first of a host counts, as for most readers.

        Raises:
            ValueError: The text is not that of a netrc file.
        """
        return tuple(
            Entry(key=one.host, value=value_of(*map(one.fields.get, ("login", "password"))))
            for one in _machines(text).values()
        )

    def put(self, text: str, entry: Entry) -> str:
        """Replace the machine's entry. It is written first, before ``default``."""
        login, password = json.loads(entry.value)
        block = f"machine {entry.key}\n  login {login}\n  password {password}\n"
        return block + self.drop(text, entry.key)

    def drop(self, text: str, key: str) -> str:
        """Remove the machine's entry; what else is on its lines is kept."""
        found = _machines(text).get(key)
        if found is None:
            return text
        before, after = text[: found.start], text[found.end :]
        line_start = before.rstrip(" \t")
        if line_start and not line_start.endswith("\n"):
            return before + after
        return line_start + after.lstrip(" \t\r").removeprefix("\n")


def value_of(login: str | None, password: str | None) -> str:
    """Return the value of an entry."""
    return json.dumps([login or "", password or ""])


def _machines(text: str) -> dict[str, _Machine]:
    """Return the first entry of each host; that of all other hosts is under an empty name."""
    found: dict[str, _Machine] = {}
    last: _Machine | None = None
    for key, value, start, end in _pairs(text):
        if key in _FIELDS:
            if last is None:
                raise ValueError(f"line {line_of(text, start)}")
            last.fields[_FIELDS[key]], last.end = value, end
        else:
            last = None if key == "macdef" else _Machine(value, start, end)
            if last is not None:
                found.setdefault(value, last)
    return found


def _pairs(text: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield each keyword with its value, and where the two begin and end."""
    at = 0
    while word := _WORD.search(text, at):
        key, start, at = _plain(word), word.start(), word.end()
        if key.startswith("#"):
            at = _end(_REST_OF_LINE, text, start)
            continue
        value = _WORD.search(text, at) if key in (*_FIELDS, "machine", "macdef") else None
        if value is None and key != "default":
            raise ValueError(f"line {line_of(text, start)}")
        at = value.end() if value else at
        yield key, _plain(value) if value else "", start, at
        if key == "macdef":
            at = _end(_MACRO, text, at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _plain(word: re.Match[str]) -> str:
    quoted = word[1]
    return re.sub(r"\\(.)", r"\1", word[0] if quoted is None else quoted, flags=re.DOTALL)

"""netrc as text: one machine's entry, however it was written, taken out. Pure.

Python's ``netrc`` says what is in a file, and not where it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(r'#[^\n]*|"(?:[^"\\]|\\.)*"|(?:[^\s\\]|\\.)+')
_MACRO = re.compile(r"[^\n]*\n(?:[^\n]+\n?)*")
"""A macro runs from its name to an empty line."""
FIELDS = ("login", "user", "account", "password")


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int


def without_machine(text: str, host: str) -> str:
    """``text`` without the entry of ``host``; what stands beside it on its lines stays."""
    words = list(_words(text))
    for number, word in enumerate(words[:-1]):
        if word.text == "machine" and words[number + 1].text.strip('"') == host:
            end = _end(words, number + 2, default=words[number + 1].end)
            return _cut(text, word.start, end)
    return text


def _end(words: list[_Word], number: int, *, default: int) -> int:
    """Where the fields end that begin at ``number``."""
    end = default
    while number + 1 < len(words) and words[number].text in FIELDS:
        end = words[number + 1].end
        number += 2
    return end


def _cut(text: str, start: int, end: int) -> str:
    """Whole lines, where nothing else stands on them."""
    before, after = text[:start], text[end:]
    line_start = before.rstrip(" \t")
    line_end = after.lstrip(" \t\r")
    if line_start and not line_start.endswith("\n"):
        return before + after
    return line_start + line_end.removeprefix("\n")


def _words(text: str) -> Iterator[_Word]:
    """Every word, but for comments and the bodies of macros."""
    at = 0
    while match := _WORD.search(text, at):
        at = match.end()
        if match[0] == "macdef":
            body = _MACRO.match(text, at)
            at = body.end() if body else at
        elif not match[0].startswith("#"):
            yield _Word(match[0], match.start(), match.end())

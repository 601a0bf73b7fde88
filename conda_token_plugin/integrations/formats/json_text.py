"""A JSON object as text: members are put in and taken out, and all other bytes stay. Pure.

Writing a parsed object anew would change indentation, escapes and numbers of what is not ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from json.decoder import JSONDecoder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

BLANKS = " \t\n\r"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of the object: its key, its value, and where both stand in the text."""

    key: str
    value: Any
    start: int
    """Where the key begins."""
    end: int
    """Where the value ends."""


def members(text: str) -> tuple[Member, ...]:
    """The members of the object that ``text`` is.

    Raises:
        ValueError: it is no JSON object, or a key is there twice.
    """
    whole = json.loads(text)
    if not isinstance(whole, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004  # as json's own complaints
    found = tuple(_members(text))
    if len(found) != len(whole):
        raise ValueError("it has a key twice")
    return found


def with_member(text: str, *, key: str, value: Any) -> str:
    """``text`` with ``key`` set to ``value``: in its place, or as the last member."""
    member = f"{json.dumps(key)}: {json.dumps(value)}"
    held = members(text)
    for old in held:
        if old.key == key:
            return text[: old.start] + member + text[old.end :]
    if held:
        last = held[-1]
        gap = _blanks_before(text, last.start)
        return f"{text[: last.end]},{gap}{member}{text[last.end :]}"
    opened = text.index("{") + 1
    return text[:opened] + member + text[opened:]


def without_member(text: str, *, key: str) -> str:
    """``text`` as it was before ``with_member`` put ``key`` in."""
    held = members(text)
    for number, member in enumerate(held):
        if member.key == key:
            return _cut(text, held, number)
    return text


def _cut(text: str, held: tuple[Member, ...], number: int) -> str:
    start = held[number - 1].end if number else text.index("{") + 1
    if number == 0 and len(held) > 1:
        following = held[1].start - len(_blanks_before(text, held[1].start))
        return text[:start] + text[following:]
    return text[:start] + text[held[number].end :]


def _members(text: str) -> Iterator[Member]:
    """Walk through a text that is known to be a JSON object."""
    decoder = JSONDecoder()
    at = _skip(text, text.index("{") + 1)
    while text[at] != "}":
        start = at
        key, at = decoder.raw_decode(text, at)
        value, at = decoder.raw_decode(text, _skip(text, _skip(text, at) + 1))
        yield Member(key=key, value=value, start=start, end=at)
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    while text[at] in BLANKS:
        at += 1
    return at


def _blanks_before(text: str, at: int) -> str:
    return text[len(text[:at].rstrip(BLANKS)) : at]

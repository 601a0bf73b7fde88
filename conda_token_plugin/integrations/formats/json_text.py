"""JSON files with one object, which has one member per credential (rattler, mamba). Pure.

These files are written by programs, so a change parses the object and writes it again. Members
that do not belong to this plugin keep their order and their values; their whitespace may change.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from conda_token_plugin.integrations.formats.credential_file import NotOurs
from conda_token_plugin.integrations.target import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

_INDENT = re.compile(r"\n( +|\t+)\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class JSONObject:
    """A file format of one JSON object.

    Attributes:
        known: Returns whether the value of a member is of a kind that this version understands.
        empty: The text of a new file.
    """

    known: Callable[[object], bool]
    empty: str = "{}\n"

    def entries(self, text: str) -> tuple[Entry, ...]:
        """Return the members of the object; each value is JSON text.

        Raises:
            ValueError: The text is not a JSON object, or a key occurs twice.
            NotOurs: The value of a member is of a kind that this version does not understand.
        """
        members = _parsed(text)
        for key, value in members.items():
            if not self.known(value):
                raise NotOurs(f"has an entry for {key!r} of a kind that this version does not know")
        return tuple(Entry(key=key, value=json.dumps(value)) for key, value in members.items())

    def put(self, text: str, entry: Entry) -> str:
        """Return `text` with the member set. A new member becomes the last one."""
        return _written(_parsed(text) | {entry.key: json.loads(entry.value)}, like=text)

    def drop(self, text: str, key: str) -> str:
        """Return `text` without the member."""
        members = _parsed(text)
        if key not in members:
            return text
        del members[key]
        return _written(members, like=text) if members else self.empty


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_number, parse_float=_number
        )
    except json.JSONDecodeError as error:  # its own message also counts characters
        raise ValueError(f"line {error.lineno}: {error.msg}") from None
    except RecursionError:  # thousands of brackets
        raise ValueError("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004  # like the errors of json
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a repeated key: only its last value would be written again."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("it has the same key twice")
    return members


def _number(text: str) -> float:
    """Refuse `NaN` and infinity, which JSON cannot express; `1e400` is read as infinity."""
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"it has the number {text[:20]}, which is not valid JSON")
    return number


def _written(members: dict[str, Any], *, like: str) -> str:
    """Write the object with the indentation of `like`; without one, with two spaces."""
    found = _INDENT.search(like)
    indent = found[1] if found else "  "
    return json.dumps(members, indent=indent) + "\n"

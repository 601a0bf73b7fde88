"""The format of rattler's and mamba's files: one JSON object, with a credential a key. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_token_plugin.integrations.formats.credential_file import NotOurs
from conda_token_plugin.integrations.formats.json_text import members, with_member, without_member
from conda_token_plugin.integrations.target import Entry

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class JSONObject:
    """Values are JSON, too; ``known`` says whether one is of a kind that we know."""

    known: Callable[[object], bool]
    empty: str = "{}"

    def entries(self, text: str) -> tuple[Entry, ...]:
        """The members of the object."""
        try:
            found = members(text)
        except json.JSONDecodeError as error:  # its own message counts characters, too
            raise ValueError(f"line {error.lineno}: {error.msg}") from None
        except RecursionError:  # thousands of brackets
            raise ValueError("it is nested too deeply") from None
        for member in found:
            if not self.known(member.value):
                raise NotOurs(
                    f"has an entry for {member.key!r} of a kind that this version does not know"
                )
        return tuple(Entry(key=one.key, value=json.dumps(one.value)) for one in found)

    def put(self, text: str, entry: Entry) -> str:
        """Set the member, as the last one where it is new."""
        return with_member(text, key=entry.key, value=json.loads(entry.value))

    def drop(self, text: str, key: str) -> str:
        """Take the member out."""
        return without_member(text, key=key)

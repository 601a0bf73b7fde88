"""A file that is one JSON object, with a credential a key: rattler's and mamba's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_token_plugin.clients import foreign
from conda_token_plugin.clients.jsontext import Member, members, with_member, without_member
from conda_token_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conda_token_plugin.clients.model import Entry

EMPTY = "{}"
"""What a file that we make begins as, and what is left of it in the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JSONPlace:
    """The file at ``path``; ``known`` says whether a value is of a kind that we know."""

    path: Path
    known: Callable[[object], bool]

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def held(self, key: str) -> str | None:
        """The value under ``key`` as JSON."""
        for member in self._members(self._text()):
            if member.key == key:
                return json.dumps(member.value)
        return None

    def keys(self) -> tuple[str, ...]:
        """All keys."""
        return tuple(member.key for member in self._members(self._text()))

    def put(self, entry: Entry) -> None:
        """Set the key, as the last member where it is new."""
        text = self._text()
        self._members(text)
        value = json.loads(entry.value)
        self._replace(text, after=with_member(text or EMPTY, key=entry.key, value=value))

    def drop(self, key: str, *, made_by_us: bool) -> None:
        """Take the member out; a file that we made goes when nothing is left in it."""
        text = self._text()
        self._members(text)
        if text is not None:
            after = without_member(text, key=key)
            self._replace(text, after=None if made_by_us and after == EMPTY else after)

    def _text(self) -> str | None:
        data = foreign.content(self.path)
        try:
            return None if data is None else data.decode("utf-8")
        except UnicodeDecodeError:  # damaged, or not this client's
            raise self._damaged("it is no UTF-8 text") from None

    def _members(self, text: str | None) -> tuple[Member, ...]:
        try:
            found = () if text is None else members(text)
        except (ValueError, RecursionError) as error:  # half a file, a comment, a merge conflict
            raise self._damaged(_fault(error)) from None
        for member in found:
            if not self.known(member.value):
                raise ConfigurationError(
                    self.path,
                    reason=f"has an entry for {member.key!r} of a kind that this version does "
                    "not know, and was left as it is",
                    hint="Update conda-token-plugin, or mend the file.",
                )
        return found

    def _replace(self, text: str | None, *, after: str | None) -> None:
        foreign.replace(self.path, after=_bytes(after), before=_bytes(text))

    def _damaged(self, fault: str) -> ConfigurationError:
        return ConfigurationError(self.path, reason=f"is damaged ({fault}) and was left as it is")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _fault(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}: {error.msg}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)

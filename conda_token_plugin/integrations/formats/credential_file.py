"""A text file with one credential per key, in a given format."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.locks import UNCHANGED, client_locked
from conda_token_plugin.integrations.target import Entry, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class NotOurs(Exception):
    """The text is well formed, but contains an entry that this version does not know."""


class Format(Protocol):
    """A text format with entries. Pure.

    A text in another format raises ValueError, whose message completes "it is damaged (…)", or
    NotOurs, whose message completes "PATH …". The messages contain only keys of the text.
    """

    @property
    def empty(self) -> str:
        """Return the text of a new file."""

    def entries(self, text: str) -> Sequence[Entry]:
        """Return all entries."""

    def put(self, text: str, entry: Entry) -> str:
        """Return ``text`` with ``entry``, which replaces an older one with the same key."""

    def drop(self, text: str, key: str) -> str:
        """Return ``text`` without the entry under ``key``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile(Place):
    """The file at ``path``; ``lock`` is the tool's own lock file, if it has one."""

    path: Path
    format: Format
    lock: Path | None = None

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self.path)

    def look(self) -> Sequence[Entry]:
        """Return all entries of a file that is only read; it may be a link."""
        return self._entries(self._text(foreign_files.read_any(self.path)))

    def held(self, key: str) -> str | None:
        """Return the value under ``key``, or None."""
        entries = self._entries(self._text(foreign_files.read_owned(self.path)))
        return next((entry.value for entry in entries if entry.key == key), None)

    def sweep(self, key: str) -> None:  # noqa: ARG002  # the signature of Place
        """Delete the temporary file of an interrupted write."""
        foreign_files.sweep(self.path)

    def missing(self, key: str) -> str:  # noqa: ARG002  # the signature of Place
        """Return the topmost file or folder that does not exist yet, or ""."""
        return foreign_files.topmost_missing(self.path)

    def put(self, key: str, value: str) -> None:
        """Write the entry."""
        entry = Entry(key=key, value=value)
        self._change(lambda text: self.format.put(text, entry))

    def drop(self, key: str, *, created: str) -> None:
        """Remove the entry, and the file if the export created it and it is empty."""
        self._change(lambda text: self.format.drop(text, key), created=created)

    def _change(self, change: Callable[[str], str], *, created: str = "") -> None:
        with nullcontext() if self.lock is None else client_locked(self.lock):
            before = foreign_files.read_owned(self.path)
            text = self._text(before)
            self._entries(text)  # raises if the file has another format
            after = change(text)
            if created and after == self.format.empty:
                foreign_files.remove(self.path, before=before, created=created)
            elif before is not None or after != text:
                foreign_files.replace(self.path, after=after.encode(), before=before)

    def _text(self, data: bytes | None) -> str:
        try:
            return self.format.empty if data is None else data.decode("utf-8")
        except UnicodeDecodeError:  # damaged, or not a text
            raise self._damaged("it is not UTF-8 text") from None

    def _entries(self, text: str) -> Sequence[Entry]:
        try:
            return self.format.entries(text)
        except NotOurs as error:  # a later version of the tool wrote it
            raise ConfigurationError(
                self.path,
                reason=f"{error} {UNCHANGED}",
                hint="Update conda-token-plugin, or repair the file.",
            ) from None
        except ValueError as error:  # a truncated file, a comment, a merge conflict
            raise self._damaged(str(error)) from None

    def _damaged(self, fault: str) -> ConfigurationError:
        return ConfigurationError(self.path, reason=f"is damaged ({fault}) {UNCHANGED}")

"""A text file with a credential a key, in some format; everything else in it stays as it is."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.locks import LEFT, client_locked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conda_token_plugin.integrations.target import Entry


class NotOurs(Exception):
    """The text is well formed, and holds what this version does not know."""


class Format(Protocol):
    """How a text holds entries. Pure; what is no such text raises ValueError or NotOurs.

    The messages of both finish the sentences "it is damaged (…)" and "PATH …",
    and show nothing of the text but keys.
    """

    @property
    def empty(self) -> str:
        """The text that a new file begins as."""

    def entries(self, text: str) -> Sequence[Entry]:
        """All entries."""

    def put(self, text: str, entry: Entry) -> str:
        """``text`` with ``entry``, in place of an older one of its key."""

    def drop(self, text: str, key: str) -> str:
        """``text`` as it was before the entry under ``key`` was put in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """The file at ``path``; ``lock`` is the client's own lock file, if it has one."""

    path: Path
    format: Format
    lock: Path | None = None

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def entries(self) -> Sequence[Entry]:
        """All entries."""
        return self._parsed(self._text())

    def look(self) -> Sequence[Entry]:
        """All entries, of a file that is only read: it may be a link, or somebody else's."""
        return self._parsed(self._decoded(foreign_files.glance(self.path)))

    def held(self, key: str) -> str | None:
        """The value under ``key``."""
        return next((entry.value for entry in self.entries() if entry.key == key), None)

    def prepare(self, key: str) -> None:
        """Nothing is in the way of a key."""

    def sweep(self, key: str) -> None:  # noqa: ARG002  # as Place
        """Clear away what a write that was killed has left."""
        foreign_files.sweep(self.path)

    def missing(self, key: str) -> str:  # noqa: ARG002  # as Place
        """What has to be made for the file to be there."""
        return foreign_files.first_missing(self.path)

    def put(self, entry: Entry) -> None:
        """Write the entry."""
        with self._locked():
            text = self._text()
            self._parsed(text)
            after = self.format.put(self.format.empty if text is None else text, entry)
            foreign_files.replace(self.path, after=after.encode(), before=_bytes(text))

    def drop(self, key: str, *, made: str) -> None:
        """Take the entry out; a file that we made goes when nothing is left in it."""
        with self._locked():
            text = self._text()
            self._parsed(text)
            if text is None:
                return
            after = self.format.drop(text, key)
            if made and after == self.format.empty:
                foreign_files.remove(self.path, before=text.encode(), made=made)
            else:
                foreign_files.replace(self.path, after=after.encode(), before=text.encode())

    def _locked(self) -> AbstractContextManager[None]:
        return nullcontext() if self.lock is None else client_locked(self.lock)

    def _text(self) -> str | None:
        return self._decoded(foreign_files.content(self.path))

    def _decoded(self, data: bytes | None) -> str | None:
        try:
            return None if data is None else data.decode("utf-8")
        except UnicodeDecodeError:  # damaged, or no text at all
            raise self._damaged("it is no UTF-8 text") from None

    def _parsed(self, text: str | None) -> Sequence[Entry]:
        try:
            return () if text is None else self.format.entries(text)
        except NotOurs as error:  # a later version of the client wrote it
            raise ConfigurationError(
                self.path,
                reason=f"{error} {LEFT}",
                hint="Update conda-token-plugin, or mend the file.",
            ) from None
        except ValueError as error:  # half a file, a comment, a merge conflict
            raise self._damaged(str(error)) from None

    def _damaged(self, fault: str) -> ConfigurationError:
        return ConfigurationError(self.path, reason=f"is damaged ({fault}) {LEFT}")


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()

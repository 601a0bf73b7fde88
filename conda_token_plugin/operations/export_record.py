"""The record of exports: what was written where, without secrets.

It makes it possible to remove, or to refresh, exactly the entries that this plugin wrote. The file
is ``exports/exports.json`` in the store's folder. It is changed under the store's lock, so that
it always agrees with the tokens that are stored.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING, Any

from conda_token_plugin.errors.store import StoreCorrupt, StoreNewer
from conda_token_plugin.gateways import state_file
from conda_token_plugin.store import user_store
from conda_token_plugin.store.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

VERSION = 1
NAME = "exports.json"
FORMER_NAMES = {"made": "created", "former": "former_mark"}
"""Fields of a record that earlier versions of the plugin named otherwise."""
MAX_BYTES = 16 * 1024 * 1024
"""Maximum size of the record; one export takes about 300 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One entry that was written for a tool.

    Attributes:
        target: The name of the export target.
        place: The name of its `Place`.
        key: The key of the entry in the place.
        organization: The organization of the token.
        token: The store's key of the token.
        mark: ``Secret.mark`` of the token.
        former_mark: The mark of the previous token, which is still in the place if the process was
            killed before it wrote the entry.
        created: The topmost file or folder that the export created. It is deleted with the last
            entry.
    """

    target: str
    place: str
    key: str
    organization: str
    token: str
    mark: str
    former_mark: str = ""
    created: str = ""

    @property
    def location(self) -> tuple[str, str]:
        """Return the place and the key of the entry."""
        return self.place, self.key

    def is_of(self, secret: Secret | None) -> bool:
        """Return whether ``secret`` is the one that was written, as far as its mark shows."""
        return secret is not None and secret.mark in {self.mark, self.former_mark or self.mark}


class ExportOutcome(Enum):
    """What happened, or would happen, to an entry."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    ABSENT = "already gone"
    CHANGED = "changed by another program since then, and not changed"
    FAILED = "could not be changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What happened to a recorded entry; ``reason`` is set if it could not be changed."""

    record: Record
    outcome: ExportOutcome
    reason: str = ""

    @property
    def failed(self) -> bool:
        """Return whether the entry still contains the previous token."""
        return self.outcome is ExportOutcome.FAILED

    def as_json(self) -> dict[str, Any]:
        """Return the form for ``--json``."""
        return {
            "target": self.record.target,
            "organization": self.record.organization,
            "place": self.record.place,
            "key": self.record.key,
            "outcome": self.outcome.value,
        }


def lines_of(results: Iterable[ExportResult]) -> Iterator[tuple[str, bool]]:
    """Yield a line for the user for each place and outcome, and whether it is about a failure."""
    groups = dict[tuple[object, ...], list[ExportResult]]()
    for one in results:
        record = one.record
        group = (record.target, record.place, record.organization, one.outcome, one.reason)
        groups.setdefault(group, []).append(one)
    for same in groups.values():
        first, record = same[0], same[0].record
        more = f" and {len(same) - 1} more" if len(same) > 1 else ""
        line = (
            f"Export to {record.target}, the token of {record.organization} for {record.key}{more} "
            f"in {record.place}: {first.outcome.value}. {first.reason}"
        )
        yield line.rstrip(), first.failed


class ExportRecord:
    """The record of exports of one store. Every method may raise StoreError."""

    def __init__(self, settings: Settings) -> None:
        """Read nothing yet."""
        self.notices: list[str] = []
        self._store = user_store(settings)
        self._folder = Folder(self._store.folder / "exports", notice=self.notices.append)

    @contextmanager
    def held(self) -> Iterator[ExportRecord]:
        """Hold the store's lock, so that no other process changes tokens or exports.

        A thread that holds the lock already may enter.

        Raises:
            StoreBusy: Another process held the lock for too long.
        """
        with self._store.exclusive():
            self._folder.make()
            yield self

    def records(self) -> tuple[Record, ...]:
        """Return all records.

        Raises:
            StoreCorrupt: The file is damaged.
            StoreNewer: A later version of this plugin wrote the file.
        """
        found = self._folder.read(NAME, limit=MAX_BYTES)
        return () if found is None else self._decoded(found[0])

    def of(self, token: Token) -> tuple[Record, ...]:
        """Return the records of ``token``. Raise as ``records``."""
        return tuple(one for one in self.records() if one.token == token.key)

    def add(self, record: Record) -> None:
        """Add ``record``, or replace the record of the same target, place and key."""
        others = [one for one in self.records() if not _same(one, record)]
        self._write([*others, record])

    def forget(self, record: Record) -> None:
        """Delete ``record``."""
        self._write([one for one in self.records() if not _same(one, record)])

    def back_up(self, name: str, data: bytes) -> Path:
        """Write ``data`` to a file that only the user can read, and return its path.

        The caller holds the lock.
        """
        folder = Folder(self._folder.path / "backups", notice=self.notices.append)
        folder.make()
        number = 0
        while folder.signature(unique := f"{name}-{number}" if number else name) is not None:
            number += 1
        folder.write(unique, data)
        folder.sync()
        return folder.path / unique

    def _decoded(self, data: bytes) -> tuple[Record, ...]:
        path = self._folder.path / NAME
        try:
            whole = json.loads(data)
            version = whole["version"]
            found = () if version != VERSION else tuple(_record(one) for one in whole["exports"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # Damaged by a failing disk or edited by hand.
            raise StoreCorrupt(path, fault="it cannot be parsed") from None
        if version != VERSION:
            raise StoreNewer(path, version=version)
        return found

    def _write(self, records: Iterable[Record]) -> None:
        entries = [asdict(one) for one in records]
        if not entries:
            self._folder.remove(NAME)
            return
        state_file.write(self._folder.path / NAME, {"version": VERSION, "exports": entries})


def _same(one: Record, other: Record) -> bool:
    return (one.target, *one.location) == (other.target, *other.location)


def _record(entry: dict[str, Any]) -> Record:
    """Convert from JSON. Fields that this version does not know are ignored."""
    names = {field.name for field in fields(Record)}
    renamed = {FORMER_NAMES.get(name, name): value for name, value in entry.items()}
    known = {name: value for name, value in renamed.items() if name in names}
    if not all(isinstance(value, str) for value in known.values()):
        raise TypeError("text was expected")
    return Record(**known)

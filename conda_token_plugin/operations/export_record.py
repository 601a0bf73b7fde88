"""What was exported where, without secrets: so that just this can be taken back.

It lies in ``exports`` below the store's folder, by the store's rules for files and locks.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from conda_token_plugin.errors.store import StoreCorrupt, StoreNewer
from conda_token_plugin.gateways import state_file
from conda_token_plugin.gateways.locks import locked
from conda_token_plugin.store.folder import Folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from conda_token_plugin.settings import Settings

VERSION = 1
NAME = "exports.json"
LARGEST = 16 * 1024 * 1024
"""Bytes of the record; it has about 300 for each export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One entry that was written for a client."""

    target: str
    place: str
    key: str
    organization: str
    token: str
    """The store's key of the token."""
    last_four: str
    former: str = ""
    """The last four of what was there before, which a kill may have left there."""
    made: str = ""
    """The topmost file or folder that was not there before; it goes with the last entry."""

    @property
    def spot(self) -> tuple[str, str]:
        """Where the entry is."""
        return self.place, self.key


class ExportRecord:
    """The records of one store. Any method may raise StoreError."""

    def __init__(self, settings: Settings) -> None:
        """Does no I/O."""
        self.notices: list[str] = []
        """Lines for the user: what was repaired."""
        home = settings.store_folder
        self._home = Folder(home, tell=self.notices.append, names=frozenset())
        self._folder = Folder(home / "exports", tell=self.notices.append)

    @contextmanager
    def held(self) -> Iterator[ExportRecord]:
        """Keep other processes from exporting meanwhile.

        Raises:
            StoreBusy: another process has been at it for too long.
        """
        if not self._folder.path.is_dir():
            self._home.make()
        self._folder.make()
        with locked(self._folder.path):
            yield self

    def records(self) -> tuple[Record, ...]:
        """All records.

        Raises:
            StoreCorrupt, StoreNewer: the file is not ours any more, or of a later version.
        """
        found = self._folder.read(NAME, limit=LARGEST)
        return () if found is None else self._decoded(found[0])

    def add(self, record: Record) -> None:
        """Remember ``record`` in place of an older one of the same target and spot."""
        others = [one for one in self.records() if not _same(one, record)]
        self._write([*others, record])

    def forget(self, record: Record) -> None:
        """Remember ``record`` no longer."""
        self._write([one for one in self.records() if not _same(one, record)])

    def back_up(self, name: str, data: bytes) -> Path:
        """Keep ``data`` for the user alone; return where. Only for the holder of the lock."""
        folder = Folder(self._folder.path / "backups", tell=self.notices.append)
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
            # Damaged by a failing disk or by hand.
            raise StoreCorrupt(path, fault="it is not as it was written") from None
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
    return (one.target, *one.spot) == (other.target, *other.spot)


def _record(entry: dict[str, Any]) -> Record:
    """Undo ``asdict``; names that this version does not know are left out."""
    known = {field.name: entry[field.name] for field in fields(Record) if field.name in entry}
    if not all(isinstance(value, str) for value in known.values()):
        raise TypeError("text was expected")
    return Record(**known)

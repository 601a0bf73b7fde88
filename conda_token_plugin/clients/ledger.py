"""What was exported where, without secrets: so that just this can be taken back.

It lies beside the tokens, as ``exports.json``.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from conda_token_plugin.clients import foreign
from conda_token_plugin.errors import StoreBusy, StoreCorrupt, StoreNewer, StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from conda_token_plugin.environment import Environment

VERSION = 1
PATIENCE = 10.0
"""Seconds to wait for another process that exports."""


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
    created: bool = False
    """Whether the place was not there before."""

    @property
    def spot(self) -> tuple[str, str]:
        """Where the entry is."""
        return self.place, self.key


class Ledger:
    """The records of one store."""

    def __init__(self, environment: Environment) -> None:
        """Does no I/O."""
        self._path: Path = environment.store_folder / "exports.json"

    @contextmanager
    def held(self) -> Iterator[Ledger]:
        """Keep other processes from exporting meanwhile.

        Raises:
            StoreBusy: another process has been at it for too long.
            StoreUnusable: the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self._path.with_suffix(".lock"), timeout=PATIENCE)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:  # another export runs, or hangs at a keyring
            raise StoreBusy(self._path, waited=PATIENCE) from None
        except OSError as error:  # read-only home
            raise StoreUnusable(self._path, reason=error.strerror or "unknown") from None
        try:
            yield self
        finally:
            lock.release()

    def records(self) -> tuple[Record, ...]:
        """All records.

        Raises:
            StoreCorrupt, StoreNewer: the file is not ours any more, or of a later version.
        """
        data = foreign.content(self._path)
        if data is None:
            return ()
        try:
            whole = json.loads(data)
            version = whole["version"]
            found = () if version != VERSION else tuple(_record(one) for one in whole["exports"])
        except (ValueError, KeyError, TypeError):  # damaged by a crash or by hand
            raise StoreCorrupt(self._path, fault="it is not as it was written") from None
        if version != VERSION:
            raise StoreNewer(self._path, version=version)
        return found

    def add(self, record: Record) -> None:
        """Remember ``record`` in place of an older one of the same target and spot."""
        others = [one for one in self.records() if not _same(one, record)]
        self._write([*others, record])

    def forget(self, record: Record) -> None:
        """Remember ``record`` no longer."""
        self._write([one for one in self.records() if not _same(one, record)])

    def _write(self, records: Iterable[Record]) -> None:
        entries = [asdict(one) for one in records]
        text = json.dumps({"version": VERSION, "exports": entries}, indent=2) + "\n"
        after = text.encode() if entries else None
        foreign.replace(self._path, after=after, before=foreign.content(self._path))


def _same(one: Record, other: Record) -> bool:
    return (one.target, *one.spot) == (other.target, *other.spot)


def _record(entry: dict[str, Any]) -> Record:
    names = {field.name for field in fields(Record)}
    return Record(**{name: value for name, value in entry.items() if name in names})

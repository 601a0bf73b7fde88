"""The index on disk: read once per process and version, replaced in one step."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.store.envelope import EnvelopeRefused, damage_reported
from conda_token_plugin.store.index import EMPTY, Index, decoded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conda_token_plugin.gateways.files import Signature
    from conda_token_plugin.store.folder import Folder

NAME = "index.json"
MAX_SIZE = 64 * 1024 * 1024
"""Bytes; 1,000 tokens take about 400 thousand."""


class Snapshot(NamedTuple):
    """One version of the index, as read."""

    content: Index = Index()
    prefixes: Mapping[str, str] = EMPTY
    signature: Signature | None = None
    """None if there is no file."""


class IndexFile:
    """The file of the index. Any method may raise StoreError."""

    def __init__(self, folder: Folder) -> None:
        """Take the store's folder. No I/O."""
        self.folder = folder
        self._snapshot: Snapshot | None = None
        self._guard = Lock()

    @property
    def path(self) -> Path:
        """The path of the file."""
        return self.folder.path / NAME

    def read(self) -> Snapshot:
        """Return the current index. Thread-safe; opens the file only if it has changed."""
        signature = self.folder.signature(NAME)
        snapshot = self._snapshot
        if snapshot is not None and snapshot.signature == signature:
            return snapshot
        with self._guard:
            snapshot = self._snapshot
            if snapshot is None or snapshot.signature != self.folder.signature(NAME):
                snapshot = self._snapshot = self._opened()
            return snapshot

    def write(self, index: Index) -> bool:
        """Replace the index. The caller holds the store's lock.

        Returns:
            Whether the disk confirmed that the version before cannot come back.

        Raises:
            StoreUnusable: It could not be replaced; the version before is unchanged.
        """
        from conda_token_plugin.errors.store import StoreUnusable

        self.folder.write(NAME, index.encoded(), after=self.read().signature)
        try:
            self.folder.sync()
        except StoreUnusable:  # a failing disk; the index is replaced all the same
            self.folder.tell(f"The disk did not confirm the last change of {self.folder.path}.")
            return False
        return True

    def _opened(self) -> Snapshot:
        self.folder.inspect()
        found = self.folder.read(NAME, limit=MAX_SIZE)
        if found is None:
            return Snapshot()
        data, signature = found
        with damage_reported(self.path):
            if len(data) > MAX_SIZE:
                raise EnvelopeRefused(f"it has more than {MAX_SIZE} bytes")
            index = decoded(data)
        return Snapshot(index, index.prefixes(), signature)

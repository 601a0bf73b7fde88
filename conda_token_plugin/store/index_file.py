"""The index on the disk: read once a process and version, replaced in one step."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

from conda_token_plugin.store.envelope import EnvelopeRefused, Newer
from conda_token_plugin.store.index import NOTHING, Index, decoded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conda_token_plugin.gateways.files import Signature
    from conda_token_plugin.store.folder import Folder

NAME = "index.jsonl"
LARGEST = 64 * 1024 * 1024
"""Bytes of an index; 10,000 tokens take 4 million."""


class Snapshot:
    """One version of the index, as read. By hand: see ``lookup``."""

    __slots__ = ("index", "prefixes", "signature")

    def __init__(
        self, index: Index, prefixes: Mapping[str, str], signature: Signature | None
    ) -> None:
        """Without a signature where there is no file."""
        self.index = index
        self.prefixes = prefixes
        self.signature = signature


class IndexFile:
    """Any method may raise StoreError."""

    def __init__(self, folder: Folder) -> None:
        """Do no I/O."""
        self.folder = folder
        self._page: Snapshot | None = None
        self._guard = Lock()

    def read(self) -> Snapshot:
        """The index as it is now; the file is opened only if it has changed. For any thread."""
        signature = self.folder.signature(NAME)
        page = self._page
        if page is not None and page.signature == signature:
            return page
        with self._guard:
            if self._page is None or self._page.signature != self.folder.signature(NAME):
                self._page = self._opened()
            return self._page

    def write(self, index: Index) -> bool:
        """Replace the index. Only for the holder of the store's lock.

        Returns:
            Whether the disk confirmed that the file before is forgotten.

        Raises:
            StoreUnusable: it could not be replaced; what was there stands.
        """
        from conda_token_plugin.errors.store import StoreUnusable

        self.folder.write(NAME, index.encoded(), after=self.read().signature)
        try:
            self.folder.sync()
        except StoreUnusable:  # a failing disk: the index is replaced all the same
            self.folder.tell(f"The disk did not confirm the last change of {self.folder.path}.")
            return False
        return True

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Turn what ``index`` refuses into an error that names the file.

        Raises:
            StoreCorrupt, StoreNewer: in place of Refused, Newer.
        """
        path = self.folder.path / NAME
        try:
            yield
        except EnvelopeRefused as refused:
            from conda_token_plugin.errors.store import StoreCorrupt, StoreNewer

            if isinstance(refused, Newer):
                raise StoreNewer(path, version=refused.version) from None
            raise StoreCorrupt(path, fault=refused.fault) from None

    def _opened(self) -> Snapshot:
        self.folder.inspect()
        found = self.folder.read(NAME, limit=LARGEST)
        if found is None:
            return Snapshot(Index(), NOTHING, None)
        data, signature = found
        with self.refusals():
            if len(data) > LARGEST:
                raise EnvelopeRefused(f"it has more than {LARGEST} bytes")
            index = decoded(data)
        return Snapshot(index, MappingProxyType(index.prefixes()), signature)

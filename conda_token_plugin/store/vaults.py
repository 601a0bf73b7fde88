"""Where secrets lie: a vault holds small texts by name and knows nothing of tokens.

| place                | vault                                                     |
|----------------------|-----------------------------------------------------------|
| ``file``             | one small file a secret, below ``secrets/`` of the store  |
| ``keyring:<class>``  | one small entry a secret, in that backend of ``keyring``  |

The content is the same in both: a sealed secret, see ``sealing``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from conda_token_plugin.errors import StoreCorrupt, StoreError, StoreNewer
from conda_token_plugin.store.envelope import Newer, Refused

if TYPE_CHECKING:
    from conda_token_plugin.store.folder import Folder

FILE = "file"
KEYRING = "keyring"
LARGEST = 64 * 1024
"""Bytes of one sealed secret; anything longer is none."""


class Vault(Protocol):
    """Any method may raise StoreError; a put that raised may have left the entry behind."""

    def get(self, entry: str) -> bytes | None:
        """What was put, or None."""

    def put(self, entry: str, sealed: bytes) -> None:
        """Keep ``sealed``, for good, before returning."""

    def delete(self, entry: str) -> None:
        """Forget ``entry``; nothing happens where it is not there."""

    def prove(self) -> None:
        """See that a secret could be put right now."""

    def damaged(self, entry: str, refused: Refused) -> StoreError:
        """The error for content that is not what was put."""


@dataclass(frozen=True, slots=True)
class FileVault:
    """Secrets in files for the owner alone."""

    folder: Folder

    def get(self, entry: str) -> bytes | None:
        """Read the file."""
        self.folder.inspect()
        found = self.folder.read(entry, limit=LARGEST)
        return None if found is None else found[0]

    def put(self, entry: str, sealed: bytes) -> None:
        """Write the file, and have the disk confirm it."""
        self.folder.make()
        self.folder.write(entry, sealed)
        self.folder.sync()

    def delete(self, entry: str) -> None:
        """Delete the file."""
        self.folder.remove(entry)

    def prove(self) -> None:
        """Write a file as large as a secret can be, and delete it."""
        self.folder.make()
        self.folder.prove(LARGEST)

    def damaged(self, entry: str, refused: Refused) -> StoreError:
        """Name the file."""
        path = self.folder.path / entry
        if isinstance(refused, Newer):
            return StoreNewer(path, version=refused.version)
        return StoreCorrupt(path, fault=refused.fault)


def vault_name(place: str) -> str:
    """Say "keyring" or "file"."""
    return place.partition(":")[0]

"""Where secrets lie: a vault holds small texts by name and knows nothing of tokens.

| place                | vault                                                     |
|----------------------|-----------------------------------------------------------|
| ``file``             | one small file a secret, below ``secrets/`` of the store  |
| ``keyring:<class>``  | one small entry a secret, in that backend of ``keyring``  |

The content is the same in both: a sealed secret, see ``envelope``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.store.envelope import Newer

if TYPE_CHECKING:
    from typing import Protocol

    from conda_token_plugin.errors.store import StoreError
    from conda_token_plugin.store.envelope import EnvelopeRefused
    from conda_token_plugin.store.folder import Folder

    class Vault(Protocol):
        """Any method may raise StoreError; a put that raised may have left the entry behind."""

        def entry(self, name: str, *, number: str) -> str:
            """What to call the entry for the secret of ``name``; ``number`` is a new one."""

        def get(self, entry: str) -> bytes | None:
            """What was put, or None."""

        def put(self, entry: str, sealed: bytes) -> None:
            """Keep ``sealed``, for good, before returning."""

        def delete(self, entry: str) -> None:
            """Forget ``entry``; nothing happens where it is not there."""

        def prove(self) -> None:
            """See that a secret could be put right now."""

        def damaged(self, entry: str, refused: EnvelopeRefused) -> StoreError:
            """The error for content that is not what was put."""


FILE = "file"
KEYRING = "keyring"
LARGEST = 64 * 1024
"""Bytes of one sealed secret; anything longer is none."""
_FILE_NAME = frozenset("0123456789abcdefghijklmnopqrstuvwxyz.")
_LONGEST_FILE_NAME = 64


class FileVault:
    """Secrets in files for the owner alone."""

    __slots__ = ("folder",)

    def __init__(self, folder: Folder) -> None:
        """``folder`` is for nothing else."""
        self.folder = folder

    def entry(self, name: str, *, number: str) -> str:  # noqa: ARG002  # the protocol's
        """The number: organizations may have names that files cannot have."""
        return number

    def get(self, entry: str) -> bytes | None:
        """Read the file."""
        self.folder.inspect()
        found = self.folder.read(self._name(entry), limit=LARGEST)
        return None if found is None else found[0]

    def put(self, entry: str, sealed: bytes) -> None:
        """Write the file, and have the disk confirm it."""
        self.folder.make()
        self.folder.write(entry, sealed)
        self.folder.sync()

    def delete(self, entry: str) -> None:
        """Delete the file."""
        self.folder.remove(self._name(entry))

    def prove(self) -> None:
        """Write a file as large as a secret can be, and delete it."""
        self.folder.make()
        self.folder.prove(LARGEST)

    def damaged(self, entry: str, refused: EnvelopeRefused) -> StoreError:
        """Name the file."""
        from conda_token_plugin.errors.store import StoreCorrupt, StoreNewer

        path = self.folder.path / entry
        if isinstance(refused, Newer):
            return StoreNewer(path, version=refused.version)
        return StoreCorrupt(path, fault=refused.fault)

    def _name(self, entry: str) -> str:
        """``entry``, if it is a name that we give to files: it comes from the index."""
        if not (0 < len(entry) <= _LONGEST_FILE_NAME and _FILE_NAME.issuperset(entry)):
            from conda_token_plugin.errors.store import StoreCorrupt

            raise StoreCorrupt(self.folder.path.parent, fault="its index names no file of its own")
        return entry


def vault_name(place: str) -> str:
    """Say "keyring" or "file"."""
    return place.partition(":")[0]

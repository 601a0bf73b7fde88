"""Vaults: where secrets are stored, each as a small text under the name of its entry.

| place                | vault                                                                   |
|----------------------|-------------------------------------------------------------------------|
| ``file``             | one file per secret, in the folder ``secrets`` of the store             |
| ``keyring:<class>``  | one entry per secret in that backend, service ``conda-token-plugin``    |

The content is the same in both: the document that ``envelope.sealed`` returns.

Windows stores at most 1,280 characters in a keyring entry (CRED_MAX_CREDENTIAL_BLOB_SIZE is
2,560 bytes of UTF-16). So a secret is split into parts of 1,200 characters, each stored as
"number/count text": a token takes one part, an API key two or three. Parts are written upwards
and deleted downwards, so that those of a killed write are found by counting from the first.
"""

from __future__ import annotations

import re
from contextlib import closing
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from conda_token_plugin.store.envelope import (
    EnvelopeRefused,
    damage_reported,
    sealed,
    unsealed,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from conda_token_plugin.gateways.keyring import Backend
    from conda_token_plugin.store.folder import Folder
    from conda_token_plugin.tokens.secret import Secret

    Result = TypeVar("Result")
    Vault: TypeAlias = "FileVault | KeyringVault"

FILE = "file"
KEYRING = "keyring"
SERVICE = "conda-token-plugin"
MAX_SIZE = 64 * 1024
"""Bytes of one sealed secret."""
PART = 1_200
"""Characters of a part, without its number."""
MAX_PARTS = MAX_SIZE // PART + 1
"""Upper bound, in case a backend returns a value for every name."""
MAX_NAME = 400
"""Characters of a name that a keyring entry shows; Windows takes 513 with the number."""
LIST_LIMIT = 10.0
"""Seconds that the Secret Service may take to list or delete leftover entries."""
_FILE_NAME = r"[0-9a-z.]{1,64}"
_NUMBERED = r"(?s)([0-9]{1,3})/([0-9]{1,3}) (.*)"
_PART_SUFFIX = r"/[0-9]{1,3}$"


class FileVault:
    """Secrets in files that only their owner can read. Any method may raise StoreError."""

    __slots__ = ("folder",)

    def __init__(self, folder: Folder) -> None:
        """Take a folder that contains nothing else."""
        self.folder = folder

    def entry(self, name: str, *, number: str) -> str:  # noqa: ARG002  # as in KeyringVault
        """Return the number: not every organization's name can be the name of a file."""
        return number

    def get(self, entry: str, *, name: str) -> Secret | None:
        """Return the secret of ``name`` in the file, or None if there is no file."""
        self.folder.inspect()
        found = self.folder.read(self._checked(entry), limit=MAX_SIZE)
        with damage_reported(self.folder.path / entry):
            return None if found is None else unsealed(name, found[0])

    def put(self, entry: str, *, name: str, secret: Secret) -> None:
        """Write the file and wait until the disk confirms it."""
        self.folder.make()
        self.folder.write(entry, sealed(name, secret))
        self.folder.sync()

    def delete(self, entry: str) -> None:
        """Delete the file if there is one."""
        self.folder.remove(self._checked(entry))

    def check_writable(self) -> None:
        """Write a file of the maximum size and delete it."""
        self.folder.make()
        self.folder.check_writable(MAX_SIZE)

    def _checked(self, entry: str) -> str:
        """Return ``entry``, which is from the index, if it can be the name of a secret's file."""
        if not re.fullmatch(_FILE_NAME, entry):
            from conda_token_plugin.errors.store import StoreCorrupt

            raise StoreCorrupt(self.folder.path.parent, fault="its index names an invalid file")
        return entry


class KeyringVault:
    """Secrets in one backend of the system keyring. Any method may raise KeyringUnusable.

    The name of an entry begins with the token's key, so that users can recognize it.
    """

    def __init__(self, backend: str) -> None:
        """Take the name of the backend's class."""
        self.backend = backend
        self._guard = Lock()
        self._unusable = ""
        """Why no more calls are made in this process."""

    def entry(self, name: str, *, number: str) -> str:
        """Return the printable part of the name, and the number, which makes it unique."""
        shown = "".join(c if c.isprintable() else "?" for c in name[:MAX_NAME])
        return f"{shown} ({number})"

    def get(self, entry: str, *, name: str) -> Secret | None:
        """Return the secret of ``name`` from its parts, or None if one is missing."""
        text = self._call(lambda backend: _joined(backend, entry))
        try:
            return None if text is None else unsealed(name, text.encode())
        except EnvelopeRefused as refused:  # a backend that confuses entries
            from conda_token_plugin.errors.store import KeyringUnusable

            raise KeyringUnusable(
                f"returned another value for {entry} than was stored: {refused.fault}"
            ) from None

    def put(self, entry: str, *, name: str, secret: Secret) -> None:
        """Write the parts."""
        text = sealed(name, secret).decode("ascii")
        parts = [text[at : at + PART] for at in range(0, len(text), PART)]
        self._call(lambda backend: _write(backend, entry, parts))

    def delete(self, entry: str) -> None:
        """Delete the parts that there are."""
        self._call(lambda backend: _delete(backend, entry))

    def check_writable(self) -> None:
        """Do nothing: the probe of ``backend_choice`` has written an entry and deleted it."""

    def _call(self, work: Callable[[Backend], Result]) -> Result:
        """Return the result of ``work``. A locked or hanging keyring is called only once."""
        from conda_token_plugin.errors.store import KeyringUnusable
        from conda_token_plugin.gateways import keyring

        with self._guard:
            if self._unusable:
                raise KeyringUnusable(self._unusable)
            try:
                return keyring.bounded(lambda: work(keyring.load_backend(self.backend)))
            except KeyringUnusable as error:
                self._unusable = error.reason if error.persistent else ""
                raise


def leftover_entries(known: frozenset[str]) -> list[str]:
    """Return the entries of this plugin in the Secret Service that are not in ``known``.

    They remain if the folder of a store is deleted, and they may belong to another
    store. Only the Secret Service (Linux) can list entries; it does so also while it is locked.

    Raises:
        KeyringUnusable: There is no Secret Service, or it does not answer.
    """
    found = _in_secret_service({"service": SERVICE}, delete=False)
    return sorted(entry for entry in found if re.sub(_PART_SUFFIX, "", entry) not in known)


def delete_leftover(entry: str) -> None:
    """Delete one of ``leftover_entries``.

    Raises:
        KeyringUnusable: It could not be deleted; the Secret Service may be locked.
    """
    _in_secret_service({"service": SERVICE, "username": entry}, delete=True)


def _in_secret_service(attributes: dict[str, str], *, delete: bool) -> list[str]:
    from conda_token_plugin.gateways.keyring import bounded

    def work() -> list[str]:
        import secretstorage

        with closing(secretstorage.dbus_init()) as connection:
            items = list(secretstorage.search_items(connection, attributes))
            names = [str(item.get_attributes().get("username", "")) for item in items]
            for item in items if delete else ():
                item.delete()
        return names

    return bounded(work, limit=LIST_LIMIT)


def _part_name(entry: str, number: int) -> str:
    return entry if number == 1 else f"{entry}/{number}"


def _joined(backend: Backend, entry: str) -> str | None:
    text, number, count = "", 1, 1
    while number <= min(count, MAX_PARTS):
        part = backend.get_password(SERVICE, _part_name(entry, number))
        if part is None:
            return None
        match = re.fullmatch(_NUMBERED, part)
        if match is None:  # written by another program; refused when it is unsealed
            return part
        text, number, count = text + match[3], number + 1, int(match[2])
    return text


def _write(backend: Backend, entry: str, parts: list[str]) -> None:
    for number, part in enumerate(parts, 1):
        name = _part_name(entry, number)
        backend.set_password(SERVICE, name, f"{number}/{len(parts)} {part}")


def _delete(backend: Backend, entry: str) -> None:
    def there(number: int) -> bool:
        return backend.get_password(SERVICE, _part_name(entry, number)) is not None

    count = next((n - 1 for n in range(1, MAX_PARTS + 1) if not there(n)), MAX_PARTS)
    for number in range(count, 0, -1):
        backend.delete_password(SERVICE, _part_name(entry, number))

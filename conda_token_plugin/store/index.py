"""The index: the metadata of all tokens, and the slots of their secrets; never a secret.

The content of the file, in the envelope that ``envelope`` describes::

    {"id": "…", "serial": 3, "pending_deletes": [SLOT, …],
     "tokens": {KEY: {"slot": SLOT, "metadata": {…}}, …},
     "logins": {SERVICE: {"slot": SLOT, "metadata": {…}}, …},
     "configured": {KEY: {…}, …}, "providers": {NAME: {…}, …}}

The tokens are in the order in which they were stored, the last one last. The metadata of a login
are empty if its API key is not sent to channels. ``configured`` has the metadata of tokens in
variables for which conda's channels are configured, ``providers`` the commands that supply
credentials.

A *slot* contains one secret. It is a *place* (``file``, or ``keyring:`` and the class of the
backend) and the name of an *entry* there, which contains the id of the store and a serial number. A
slot is filled only once, so that replacing the index is the single step that changes a token.
**Every slot that may contain a secret is in the index**: as a token's, as a login's, or in
``pending_deletes``. It is listed as pending from before it is filled until an entry refers to it,
and from the last reference until its deletion is confirmed.

The id distinguishes two stores that use one keyring, and an index that was moved away from
the one that replaced it.

Version 1 is also read: there a login was a slot only, ``channel_logins`` had the metadata, and two
names in metadata were others (``FORMER_NAMES``).
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from conda_token_plugin.store.envelope import (
    EnvelopeRefused,
    damage_reported,
    unwrapped,
    version_of,
    wrapped,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from conda_token_plugin.gateways.files import Signature
    from conda_token_plugin.store.folder import Folder

KIND = "index"
VERSION = 2
NAME = "index.json"
TOKENS, LOGINS = "tokens", "logins"
"""The two kinds of entries."""
MAX_SIZE = 64 * 1024 * 1024
"""Bytes; 1,000 tokens take about 400 thousand."""
FORMER_NAMES = {"way": "scheme", "proven": "verified"}
EMPTY: Mapping[str, Any] = {}


class Slot(NamedTuple):
    """Where one secret is stored."""

    place: str
    entry: str

    @property
    def vault(self) -> str:
        """Return "keyring" or "file"."""
        return self.place.partition(":")[0]


class Entry(NamedTuple):
    """What the index contains about one token or login."""

    slot: Slot
    metadata: Mapping[str, Any] = EMPTY
    """As ``Token.as_json`` returned it; ``scope`` is a list of texts, the rest is not checked.
    Empty for a login whose API key is not sent to channels."""


class Index(NamedTuple):
    """One version of the index. Each method returns the next version."""

    id: str = ""
    """Empty before the first write."""
    serial: int = 1
    pending_deletes: tuple[Slot, ...] = ()
    tokens: Mapping[str, Entry] = EMPTY
    logins: Mapping[str, Entry] = EMPTY
    configured: Mapping[str, Mapping[str, Any]] = EMPTY
    providers: Mapping[str, Mapping[str, Any]] = EMPTY
    """By name: a command that supplies a credential, as ``Provider.as_json`` returned it."""

    @property
    def number(self) -> str:
        """The name of the next slot; no slot of any store has had it before."""
        return f"{self.id}.{self.serial}"

    def entries(self, kind: str) -> Mapping[str, Entry]:
        """Return the entries of one kind, ``TOKENS`` or ``LOGINS``."""
        return self.tokens if kind == TOKENS else self.logins

    def slots(self) -> list[Slot]:
        """Return the slots of all tokens and logins."""
        return [entry.slot for entry in (*self.tokens.values(), *self.logins.values())]

    def announced(self, slot: Slot) -> Index:
        """Mark ``slot``, which is named after ``number``, as about to be filled."""
        return self._replace(serial=self.serial + 1, pending_deletes=(*self.pending_deletes, slot))

    def emptied(self, slots: Collection[Slot]) -> Index:
        """Take ``slots`` out of the pending deletions."""
        return self._replace(
            pending_deletes=tuple(slot for slot in self.pending_deletes if slot not in slots)
        )

    def stored(self, kind: str, name: str, entry: Entry) -> Index:
        """Store ``entry``, whose slot is filled, as the last one of its kind."""
        index = self.removed(kind, name).emptied({entry.slot})
        return index.with_entries(kind, {**index.entries(kind), name: entry})

    def removed(self, kind: str, name: str) -> Index:
        """Remove the entry ``name`` if there is one. Its slot becomes pending."""
        others = dict(self.entries(kind))
        entry = others.pop(name, None)
        pending = (*self.pending_deletes, entry.slot) if entry else self.pending_deletes
        return self.with_entries(kind, others)._replace(pending_deletes=pending)

    def with_entries(self, kind: str, entries: Mapping[str, Entry]) -> Index:
        """Replace all entries of one kind."""
        return self._replace(tokens=entries) if kind == TOKENS else self._replace(logins=entries)

    def encoded(self) -> bytes:
        """Return the content of the file."""
        content = self._asdict()
        for kind in (TOKENS, LOGINS):
            content[kind] = {name: one._asdict() for name, one in self.entries(kind).items()}
        return wrapped(KIND, content, version=VERSION)


def decoded(data: bytes) -> Index:
    """Return the index that ``data`` contains.

    Raises:
        EnvelopeRefused: ``data`` is not what ``Index.encoded`` returned.
    """
    content = unwrapped(KIND, data, newest=VERSION)
    try:
        if version_of(data) == 1:
            content = _from_version_1(content)
        return Index(
            id=_checked(content["id"], str),
            serial=_checked(content["serial"], int),
            pending_deletes=tuple(map(_slot, content["pending_deletes"])),
            tokens={key: _entry(entry) for key, entry in content[TOKENS].items()},
            logins={service: _entry(entry) for service, entry in content[LOGINS].items()},
            configured={key: _metadata(one) for key, one in content["configured"].items()},
            providers={name: _metadata(one) for name, one in content["providers"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError):  # written by another program
        raise EnvelopeRefused("its content is not an index") from None


class Snapshot(NamedTuple):
    """One version of the index, as read."""

    content: Index = Index()
    prefixes: Mapping[str, str] = EMPTY
    """The key of the token that was stored last with each prefix."""
    signature: Signature | None = None
    """None if there is no file."""


class IndexFile:
    """Reads the file of the index, once per process and version."""

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
        """Return the current index. Thread-safe; opens the file only if it has changed.

        Raises:
            StoreError: It cannot be read, or is damaged.
        """
        signature = self.folder.signature(NAME)
        snapshot = self._snapshot
        if snapshot is not None and snapshot.signature == signature:
            return snapshot
        with self._guard:
            snapshot = self._snapshot
            if snapshot is None or snapshot.signature != self.folder.signature(NAME):
                snapshot = self._snapshot = self._opened()
            return snapshot

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
        prefixes = {
            prefix: key
            for key, entry in index.tokens.items()
            if entry.metadata
            for prefix in entry.metadata["scope"]
        }
        return Snapshot(index, prefixes, signature)


def _from_version_1(content: Any) -> dict[str, Any]:
    """Return the content of an index of version 1 as this version has it."""
    opens = content.get("channel_logins", EMPTY)
    tokens, logins = content[TOKENS].items(), content[LOGINS].items()
    return {
        **content,
        TOKENS: {key: {**one, "metadata": _renamed(one["metadata"])} for key, one in tokens},
        LOGINS: {
            service: {"slot": slot, "metadata": _renamed(opens.get(service, EMPTY))}
            for service, slot in logins
        },
        **{
            kind: {name: _renamed(one) for name, one in content.get(kind, EMPTY).items()}
            for kind in ("configured", "providers")
        },
    }


def _renamed(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {FORMER_NAMES.get(name, name): value for name, value in metadata.items()}


def _entry(value: Any) -> Entry:
    return Entry(_slot(value["slot"]), _metadata(value["metadata"]))


def _metadata(value: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = _checked(value, dict)
    if metadata:
        _texts(metadata["scope"])
    return metadata


def _slot(value: Any) -> Slot:
    return Slot(*_texts(value))


def _texts(value: Any) -> list[str]:
    for item in _checked(value, list):
        _checked(item, str)
    texts: list[str] = value
    return texts


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}")
    return value

"""What is stored and where its secret lies; never a secret. Pure.

The file, below the first line that ``envelope`` writes, is one JSON value a line:

1. what finding needs: the store's id, the next serial number, the slots that are to be emptied,
   the logins, and the scope of each token by its key: its prefix, or the list of several;
2. and on: what showing needs, a line a token, in the same order: its slot and its metadata.

So opening a store of 10,000 tokens parses one line and not 10,000 (3 ms instead of 23),
and writing one token leaves the other lines as they are. Most scopes are one prefix, and 10,000
lists would have Python collect garbage that is none.

A *slot* is where one secret lies: a *place* ("file", or "keyring:" and the backend's class)
and an *entry* there, whose name has the store's id and a serial number.
A slot is filled once, and never over, so that replacing the index is the one step in which
a token changes hands. **Nothing lies in a slot that the index does not name**: as a token's,
as a login's, or as *doomed*. It is doomed before it is filled, until a token takes it;
and from when the token drops it, until it is known to be empty.

The id keeps two stores apart in one keyring, and an index that was moved away from its successor.
"""

from __future__ import annotations

import json
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from conda_token_plugin.store.envelope import Refused, body_of, wrapped
from conda_token_plugin.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    Kept = str | list[str]
    """A scope as the first line has it."""

KIND = "index"


class Slot(NamedTuple):
    """Where one secret lies."""

    place: str
    entry: str


class Index(NamedTuple):
    """One version of the index; every change makes another. No dataclass: see ``ledger.Page``."""

    id: str
    serial: int = 1
    doomed: tuple[Slot, ...] = ()
    logins: Mapping[str, Slot] = MappingProxyType({})
    scopes: Mapping[str, Kept] = MappingProxyType({})
    lines: Mapping[str, bytes] = MappingProxyType({})

    def token(self, key: str) -> Token | None:
        """The metadata of the token ``key``, or None.

        Raises:
            Refused: what stands there is no token.
        """
        line = self._line(key)
        if line is None:
            return None
        kept = self.scopes[key]
        scope = [kept] if isinstance(kept, str) else kept
        try:
            return Token.from_json({**line["about"], "scope": scope})
        except (KeyError, TypeError, ValueError):  # a writer that is not this plugin
            raise Refused("a token's metadata cannot be read") from None

    def slot(self, key: str) -> Slot | None:
        """Where the secret of the token ``key`` lies, or None.

        Raises:
            Refused: what stands there is no slot.
        """
        line = self._line(key)
        if line is None:
            return None
        try:
            return _slot(line["at"])
        except (KeyError, TypeError, ValueError):  # a writer that is not this plugin
            raise Refused("a token's place cannot be read") from None

    def prefixes(self) -> dict[str, str]:
        """Prefix to key; of two tokens that claim one prefix, the one stored last has it."""
        return {
            prefix: key
            for key, kept in self.scopes.items()
            for prefix in ((kept,) if isinstance(kept, str) else kept)
        }

    @property
    def number(self) -> str:
        """What no slot of any store has been called yet."""
        return f"{self.id}.{self.serial}"

    def announcing(self, slot: Slot) -> Index:
        """With ``slot``, which has the ``number``, about to be filled."""
        return self._replace(serial=self.serial + 1, doomed=(*self.doomed, slot))

    def with_token(self, token: Token, *, at: Slot) -> Index:
        """``token``, new or anew, with its secret at the announced slot ``at``."""
        index = self.without_token(token.key).emptied({at})
        return index.with_metadata(token, at=at)

    def with_metadata(self, token: Token, *, at: Slot) -> Index:
        """Other metadata for a token whose secret is at ``at``."""
        about = token.as_json()
        scope = about.pop("scope", [])
        kept = scope[0] if len(scope) == 1 else scope
        line = _dumped({"at": at, "about": about})
        return self._replace(
            scopes={**self.scopes, token.key: kept},
            lines={**self.lines, token.key: line},
        )

    def without_token(self, key: str) -> Index:
        """Without the token ``key``, where it is there; its slot is doomed."""
        at = self.slot(key)
        return self._dooming(at)._replace(
            scopes=_without(self.scopes, key), lines=_without(self.lines, key)
        )

    def with_login(self, service: str, *, at: Slot) -> Index:
        """The login to ``service``, new or anew, with its secret at the announced slot ``at``."""
        index = self.without_login(service).emptied({at})
        return index._replace(logins={**index.logins, service: at})

    def without_login(self, service: str) -> Index:
        """Without the login to ``service``, where it is there; its slot is doomed."""
        index = self._dooming(self.logins.get(service))
        return index._replace(logins=_without(index.logins, service))

    def emptied(self, slots: Collection[Slot]) -> Index:
        """With ``slots`` doomed no more: they are empty, or about to be taken."""
        return self._replace(doomed=tuple(slot for slot in self.doomed if slot not in slots))

    def encoded(self) -> bytes:
        """The bytes of the file."""
        first = {
            "id": self.id,
            "serial": self.serial,
            "doomed": self.doomed,
            "logins": dict(self.logins),
            "scopes": dict(self.scopes),
        }
        return wrapped(KIND, b"\n".join([_dumped(first), *self.lines.values(), b""]))

    def _line(self, key: str) -> dict[str, Any] | None:
        line = self.lines.get(key)
        return None if line is None else _object(line)

    def _dooming(self, slot: Slot | None) -> Index:
        return self if slot is None else self._replace(doomed=(*self.doomed, slot))


def decoded(data: bytes) -> Index:
    """Undo ``encoded``.

    Raises:
        Refused: these are not bytes that ``encoded`` returned; ``Newer`` when a later one did.
    """
    body_of(KIND, data)  # begins with the second line
    _, first, *lines = data.split(b"\n")
    value = _object(first)
    try:
        index = _index(value, lines=lines[:-1])
    except (AttributeError, KeyError, TypeError, ValueError):  # a writer that is not this plugin
        raise Refused("its content is not an index") from None
    return index


def _index(value: dict[str, Any], *, lines: list[bytes]) -> Index:
    return Index(
        id=_text(value["id"]),
        serial=_integer(value["serial"]),
        doomed=tuple(_slot(pair) for pair in value["doomed"]),
        logins={service: _slot(pair) for service, pair in value["logins"].items()},
        scopes=_scopes(value["scopes"]),
        lines=dict(zip(value["scopes"], lines, strict=True)),
    )


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):  # a writer that is not this plugin
        raise Refused("a line of it is not JSON") from None
    if not isinstance(value, dict):
        raise Refused("a line of it is not an object")
    return value


def _dumped(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _scopes(value: Any) -> dict[str, Kept]:
    """``value``, if it is what it should be; looked at all at once, as there may be many."""
    scopes: dict[str, Kept] = value
    if {*map(type, scopes.values())} == {str}:
        return scopes
    lists = [kept for kept in scopes.values() if not isinstance(kept, str)]
    if not {*map(type, lists)} <= {list}:
        raise TypeError("texts and lists were expected")
    if not {*map(type, chain.from_iterable(lists))} <= {str}:
        raise TypeError("texts were expected")
    return scopes


def _slot(pair: Any) -> Slot:
    place, entry = _texts(pair)
    return Slot(place, entry)


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or any(type(item) is not str for item in value):
        raise TypeError("a list of texts was expected")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("an integer was expected")
    return value


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}

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
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from conda_token_plugin.store.envelope import EnvelopeRefused, body_of, wrapped
from conda_token_plugin.store.vaults import vault_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.tokens.token import Token

    Kept = str | list[str]
    """A scope as the first line has it."""

KIND = "index"
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Slot(tuple[str, str]):
    """Where one secret lies."""

    __slots__ = ()
    place = property(itemgetter(0))
    entry = property(itemgetter(1))

    def __new__(cls, place: str, entry: str) -> Slot:  # noqa: PYI034  # Self is of Python 3.11
        """``place`` is a vault's, ``entry`` what the vault calls it."""
        return super().__new__(cls, (place, entry))


class Entry:
    """What the index says of one token."""

    __slots__ = ("about", "scope", "slot")

    def __init__(self, slot: Slot, about: Mapping[str, Any], *, scope: Kept) -> None:
        """``about`` is the metadata as it stands there, without the ``scope``."""
        self.slot = slot
        self.about = about
        self.scope = [scope] if isinstance(scope, str) else scope

    @property
    def vault(self) -> str:
        """Which vault the secret lies in: "keyring" or "file"."""
        return vault_name(self.slot.place)

    def token(self) -> Token:
        """The metadata.

        Raises:
            Refused: what stands there is no token.
        """
        from conda_token_plugin.tokens.token import Token

        try:
            return Token.from_json({**self.about, "scope": self.scope})
        except (KeyError, TypeError, ValueError):  # a writer that is not this plugin
            raise EnvelopeRefused("a token's metadata cannot be read") from None


class Index:
    """One version of the index; ``revising`` makes others of it, and nothing changes one."""

    __slots__ = ("doomed", "id", "lines", "logins", "scopes", "serial")

    def __init__(  # noqa: PLR0913  # the parts of the file, named at each call
        self,
        *,
        id: str = "",  # noqa: A002  # what the file calls it
        serial: int = 1,
        doomed: tuple[Slot, ...] = (),
        logins: Mapping[str, Slot] = NOTHING,
        scopes: Mapping[str, Kept] = NOTHING,
        lines: Mapping[str, bytes] = NOTHING,
    ) -> None:
        """Without an id where nothing was ever written."""
        self.id = id
        self.serial = serial
        self.doomed = doomed
        self.logins = logins
        self.scopes = scopes
        self.lines = lines

    def but(self, **changed: Any) -> Index:
        """This version with other values."""
        return Index(**{**{name: getattr(self, name) for name in self.__slots__}, **changed})

    def entry(self, key: str) -> Entry | None:
        """What is said of the token ``key``, or None.

        Raises:
            Refused: what stands there is not what was written.
        """
        line = self.lines.get(key)
        if line is None:
            return None
        value = _object(line)
        try:
            return Entry(_slot(value["at"]), _mapping(value["about"]), scope=self.scopes[key])
        except (KeyError, TypeError, ValueError):  # a writer that is not this plugin
            raise EnvelopeRefused("a token's line cannot be read") from None

    def token(self, key: str) -> Token | None:
        """The metadata of the token ``key``, or None. Raises as ``entry``."""
        entry = self.entry(key)
        return entry.token() if entry else None

    def slot(self, key: str) -> Slot | None:
        """Where the secret of the token ``key`` lies, or None. Raises as ``entry``."""
        entry = self.entry(key)
        return entry.slot if entry else None

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

    def encoded(self) -> bytes:
        """The bytes of the file."""
        first = {
            "id": self.id,
            "serial": self.serial,
            "doomed": self.doomed,
            "logins": dict(self.logins),
            "scopes": dict(self.scopes),
        }
        return wrapped(KIND, b"\n".join([dumped(first), *self.lines.values(), b""]))


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
        raise EnvelopeRefused("its content is not an index") from None
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
        raise EnvelopeRefused("a line of it is not JSON") from None
    if not isinstance(value, dict):
        raise EnvelopeRefused("a line of it is not an object")
    return value


def dumped(value: object) -> bytes:
    """``value`` as a line of the file."""
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


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("an object was expected")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text was expected")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("an integer was expected")
    return value

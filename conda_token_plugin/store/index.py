"""The index: the metadata of all tokens, and the slots of their secrets; never a secret. Pure.

The content of the file, in the envelope that ``envelope`` describes::

    {"id": "…", "serial": 3, "pending_deletes": [SLOT, …], "logins": {SERVICE: SLOT, …},
     "channel_logins": {SERVICE: {…}, …}, "configured": {KEY: {…}, …},
     "providers": {NAME: {…}, …},
     "tokens": {KEY: {"slot": SLOT, "metadata": {…}}, …}}

The tokens are in the order in which they were stored, the last one last. ``channel_logins`` has
the metadata of the logins whose API key is sent to channels, ``configured`` those of tokens in
variables for which conda's channels are configured, ``providers`` the commands that supply
credentials; an index without them has none.

A *slot* holds one secret. It is a *place* (``file``, or ``keyring:`` and the class of the backend)
and the name of an *entry* there, which contains the id of the store and a serial number. A slot
is filled only once, so that replacing the index is the single step that changes a token.
**Every slot that may contain a secret is in the index**: as a token's, as a login's, or in
``pending_deletes``. It is listed as pending from before it is filled until an entry refers to it,
and from the last reference until its deletion is confirmed.

The id keeps two stores apart that use one keyring, and an index that was moved away from
the one that replaced it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from conda_token_plugin.store.envelope import EnvelopeRefused, unwrapped, wrapped

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from conda_token_plugin.tokens.provider import Provider
    from conda_token_plugin.tokens.token import Token

KIND = "index"
EMPTY: Mapping[str, Any] = MappingProxyType({})


class Slot(NamedTuple):
    """Where one secret is stored."""

    place: str
    entry: str

    @property
    def vault(self) -> str:
        """Return "keyring" or "file"."""
        return self.place.partition(":")[0]


class Entry(NamedTuple):
    """What the index contains about one token."""

    slot: Slot
    metadata: Mapping[str, Any]
    """As ``Token.as_json`` returned it; ``scope`` is a list of texts, the rest is not checked."""

    @property
    def vault(self) -> str:
        """Return "keyring" or "file"."""
        return self.slot.vault

    def token(self) -> Token:
        """Return the metadata.

        Raises:
            EnvelopeRefused: They are not the metadata of a token.
        """
        from conda_token_plugin.tokens.token import Token

        try:
            return Token.from_json(self.metadata)
        except (KeyError, TypeError, ValueError):  # written by another program
            raise EnvelopeRefused("a token's metadata cannot be read") from None


class Index(NamedTuple):
    """One version of the index. Each method returns the next version."""

    id: str = ""
    """Empty before the first write."""
    serial: int = 1
    pending_deletes: tuple[Slot, ...] = ()
    logins: Mapping[str, Slot] = EMPTY
    channel_logins: Mapping[str, Mapping[str, Any]] = EMPTY
    """By service: the metadata of the API key, as ``Token.as_json`` returned them."""
    configured: Mapping[str, Mapping[str, Any]] = EMPTY
    """By key: the metadata of a token that a variable supplies, with channels for conda."""
    providers: Mapping[str, Mapping[str, Any]] = EMPTY
    """By name: a command that supplies a credential, as ``Provider.as_json`` returned it."""
    tokens: Mapping[str, Entry] = EMPTY

    @property
    def number(self) -> str:
        """The name of the next slot; no slot of any store has had it before."""
        return f"{self.id}.{self.serial}"

    def slots(self) -> list[Slot]:
        """Return the slots of all tokens and logins."""
        return [*(entry.slot for entry in self.tokens.values()), *self.logins.values()]

    def prefixes(self) -> dict[str, str]:
        """Map each prefix to a key. A prefix in two scopes belongs to the token stored last."""
        return {
            prefix: key for key, entry in self.tokens.items() for prefix in entry.metadata["scope"]
        }

    def announced(self, slot: Slot) -> Index:
        """Mark ``slot``, which is named after ``number``, as about to be filled."""
        return self._replace(serial=self.serial + 1, pending_deletes=(*self.pending_deletes, slot))

    def emptied(self, slots: Collection[Slot]) -> Index:
        """Take ``slots`` out of the pending deletions."""
        return self._replace(
            pending_deletes=tuple(slot for slot in self.pending_deletes if slot not in slots)
        )

    def with_token(self, token: Token, *, slot: Slot) -> Index:
        """Store ``token``, whose secret is in ``slot``, as the last one."""
        index = self.without_token(token.key).emptied({slot})
        return index.with_metadata(token, slot=slot)

    def with_metadata(self, token: Token, *, slot: Slot) -> Index:
        """Replace the metadata of ``token``, whose secret stays in ``slot``."""
        entry = Entry(slot, token.as_json())
        return self._replace(tokens={**self.tokens, token.key: entry})

    def with_configured(self, token: Token) -> Index:
        """Store the channels of ``token``, which a variable supplies; forget it if it has none."""
        others = {key: held for key, held in self.configured.items() if key != token.key}
        has_channels = token.channels or token.default_channels
        return self._replace(
            configured={**others, token.key: token.as_json()} if has_channels else others
        )

    def read_providers(self) -> tuple[Provider, ...]:
        """Return ``providers`` as objects.

        Raises:
            EnvelopeRefused: One of them is not a provider.
        """
        if not self.providers:  # most processes do not import the module
            return ()
        from conda_token_plugin.tokens.provider import Provider

        try:
            return tuple(Provider.from_json(*item) for item in self.providers.items())
        except (KeyError, TypeError, ValueError):  # written by another program
            raise EnvelopeRefused("a provider cannot be read") from None

    def with_provider(self, provider: Provider) -> Index:
        """Store ``provider``, in place of the one with its name if there is one."""
        return self._replace(providers={**self.providers, provider.name: provider.as_json()})

    def without_provider(self, name: str) -> Index:
        """Remove the provider ``name``."""
        others = {one: held for one, held in self.providers.items() if one != name}
        return self._replace(providers=others)

    def without_token(self, key: str) -> Index:
        """Remove the token ``key`` if it is stored. Its slot becomes pending."""
        others = {name: entry for name, entry in self.tokens.items() if name != key}
        entry = self.tokens.get(key)
        pending = (*self.pending_deletes, *([entry.slot] if entry else ()))
        return self._replace(tokens=others, pending_deletes=pending)

    def with_login(self, service: str, *, slot: Slot, opens: Token | None = None) -> Index:
        """Store the login to ``service``, whose secret is in ``slot``.

        ``opens`` is the metadata of its API key as a credential for channels.
        """
        index = self.without_login(service).emptied({slot})
        opened = {service: opens.as_json()} if opens else {}
        return index._replace(
            logins={**index.logins, service: slot},
            channel_logins={**index.channel_logins, **opened},
        )

    def without_login(self, service: str) -> Index:
        """Remove the login to ``service`` if there is one. Its slot becomes pending."""
        others = {name: slot for name, slot in self.logins.items() if name != service}
        opened = {name: held for name, held in self.channel_logins.items() if name != service}
        slot = self.logins.get(service)
        pending = (*self.pending_deletes, *([slot] if slot else ()))
        return self._replace(logins=others, channel_logins=opened, pending_deletes=pending)

    def encoded(self) -> bytes:
        """Return the content of the file."""
        tokens = {key: entry._asdict() for key, entry in self.tokens.items()}
        content = {**self._asdict(), "logins": {**self.logins}, "tokens": tokens}
        maps = {"channel_logins": {**self.channel_logins}, "configured": {**self.configured}}
        return wrapped(KIND, content | maps | {"providers": {**self.providers}})


def decoded(data: bytes) -> Index:
    """Return the index that ``data`` contains.

    Raises:
        EnvelopeRefused: ``data`` is not what ``Index.encoded`` returned.
    """
    content = unwrapped(KIND, data)
    try:
        return Index(
            id=_checked(content["id"], str),
            serial=_checked(content["serial"], int),
            pending_deletes=tuple(map(_slot, content["pending_deletes"])),
            logins={service: _slot(slot) for service, slot in content["logins"].items()},
            channel_logins=_described(content.get("channel_logins", {})),
            configured=_described(content.get("configured", {})),
            providers=_described(content.get("providers", {})),
            tokens={key: _entry(entry) for key, entry in content["tokens"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError):  # written by another program
        raise EnvelopeRefused("its content is not an index") from None


def _entry(value: Any) -> Entry:
    return Entry(_slot(value["slot"]), _metadata(value["metadata"]))


def _described(value: Any) -> dict[str, dict[str, Any]]:
    return {name: _metadata(held) for name, held in value.items()}


def _metadata(value: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = _checked(value, dict)
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

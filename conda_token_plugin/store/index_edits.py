"""The next version of the index. Pure.

See ``index`` for what a slot is, and why each is doomed before it is filled and after it is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.store.index import dumped

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from conda_token_plugin.store.index import Index, Slot
    from conda_token_plugin.tokens.token import Token


def announcing(index: Index, slot: Slot) -> Index:
    """With ``slot``, which has the ``number``, about to be filled."""
    return index.but(serial=index.serial + 1, doomed=(*index.doomed, slot))


def emptied(index: Index, slots: Collection[Slot]) -> Index:
    """With ``slots`` doomed no more: they are empty, or about to be taken."""
    return index.but(doomed=tuple(slot for slot in index.doomed if slot not in slots))


def with_token(index: Index, token: Token, *, at: Slot) -> Index:
    """``token``, new or anew, with its secret at the announced slot ``at``."""
    return with_metadata(emptied(without_token(index, token.key), {at}), token, at=at)


def with_metadata(index: Index, token: Token, *, at: Slot) -> Index:
    """Other metadata for a token whose secret is at ``at``."""
    about = token.as_json()
    scope = about.pop("scope", [])
    kept = scope[0] if len(scope) == 1 else scope
    line = dumped({"at": at, "about": about})
    return index.but(
        scopes={**index.scopes, token.key: kept}, lines={**index.lines, token.key: line}
    )


def without_token(index: Index, key: str) -> Index:
    """Without the token ``key``, where it is there; its slot is doomed."""
    return _dooming(index, index.slot(key)).but(
        scopes=_without(index.scopes, key), lines=_without(index.lines, key)
    )


def with_login(index: Index, service: str, *, at: Slot) -> Index:
    """The login to ``service``, new or anew, with its secret at the announced slot ``at``."""
    index = emptied(without_login(index, service), {at})
    return index.but(logins={**index.logins, service: at})


def without_login(index: Index, service: str) -> Index:
    """Without the login to ``service``, where it is there; its slot is doomed."""
    index = _dooming(index, index.logins.get(service))
    return index.but(logins=_without(index.logins, service))


def _dooming(index: Index, slot: Slot | None) -> Index:
    return index if slot is None else index.but(doomed=(*index.doomed, slot))


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}

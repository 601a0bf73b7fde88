"""The content of a store, every kind of write to it, and its entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.store.index import NAME, decoded
from tests.support import tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conda_token_plugin.store import Store
    from conda_token_plugin.store.index import Index
    from conda_token_plugin.tokens.token import Token

    Write = Callable[[Store], object]
    Replace = Callable[[Path], None]

WRITES: dict[str, Callable[[Store], object]] = {
    "add": lambda store: store.add(tokens.token("new"), tokens.secret("new")),
    "replace": lambda store: store.add(tokens.token("acme"), tokens.secret("replaced")),
    "update": lambda store: store.update(tokens.token("acme", last_four="9999")),
    "remove": lambda store: store.remove(tokens.token("acme").key),
    "set_login": lambda store: store.set_login(tokens.SERVICE, tokens.secret("anew", length=1500)),
    "remove_login": lambda store: store.remove_login(tokens.SERVICE),
    "check_writable": lambda store: store.check_writable(),
}


def fill(store: Store) -> Store:
    """Store two tokens and a login."""
    for name in ("acme", "other"):
        store.add(tokens.token(name), tokens.secret(name))
    store.set_login(tokens.SERVICE, tokens.secret("login", length=1500))
    return store


class Content(NamedTuple):
    """Everything that a store contains, to be compared."""

    tokens: dict[str, tuple[Token, str]]
    login: str | None


def content(store: Store) -> Content:
    login = store.login(tokens.SERVICE)
    return Content(
        {token.key: (token, store.secret(token.key).reveal()) for token in store.tokens()},
        login.reveal() if login else None,
    )


def owner_of(prefix: str, store: Store) -> str | None:
    """Return the key of the token that a prefix belongs to."""
    found = store.covering(prefix)
    return found and found[1].key


def index_of(folder: Path) -> Index:
    return decoded((folder / NAME).read_bytes())


def live(folder: Path) -> set[str]:
    """Return the entries of tokens and logins in the index."""
    index = index_of(folder)
    return {slot.entry for slot in index.slots()}


def live_without(folder: Path, key: str) -> set[str]:
    """Return the same without the token ``key``."""
    return live(folder) - {index_of(folder).tokens[key].slot.entry}


def pending(folder: Path) -> set[str]:
    """Return the entries that are pending deletion."""
    return {slot.entry for slot in index_of(folder).pending_deletes}


def files(folder: Path) -> set[str]:
    """Return the names of the files in the folder of secrets."""
    secrets = folder / "secrets"
    return {path.name for path in secrets.iterdir()} if secrets.is_dir() else set()

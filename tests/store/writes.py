"""Every kind of write there is, for the tests that disturb it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.store import made

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.store import Store

WRITES: dict[str, Callable[[Store], object]] = {
    "add": lambda store: store.add(made.token("new"), made.secret("new")),
    "replace": lambda store: store.add(made.token("acme"), made.secret("replaced")),
    "update": lambda store: store.update(made.token("acme", last_four="9999")),
    "remove": lambda store: store.remove(made.token("acme").key),
    "set_login": lambda store: store.set_login(made.SERVICE, made.secret("anew", length=1500)),
    "remove_login": lambda store: store.remove_login(made.SERVICE),
    "prove_writable": lambda store: store.prove_writable(),
}


def fill(store: Store) -> Store:
    """Two tokens and a login."""
    for name in ("acme", "other"):
        store.add(made.token(name), made.secret(name))
    store.set_login(made.SERVICE, made.secret("login", length=1500))
    return store

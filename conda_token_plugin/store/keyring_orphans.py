"""Entries of ours in the system's keyring that no index names any more.

The store leaves none behind; who deletes the store's folder does. Only the Secret Service (Linux)
lets its entries be listed: attributes can be read there also while it is locked.
"""

from __future__ import annotations

import re
from concurrent.futures import TimeoutError as TooLong  # its own class before Python 3.11
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.store.keyring_vault import SERVICE, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conda_token_plugin.store.store import Store

PATIENCE = 10.0
"""Seconds that the keyring's daemon may take."""
_PART = re.compile(r"/\d{1,3}$")
"""The end of the name of a secret's second part, and on."""

Answer = TypeVar("Answer")


def entries_without_a_name(store: Store) -> list[str]:
    """The entries of the keyring that ``store`` does not name. They may be another store's.

    Raises:
        KeyringUnusable: there is no keyring that could be asked.
        StoreError: the index cannot be read.
    """
    named = store.entries()
    return sorted(one for one in _asked(_listed) if _PART.sub("", one) not in named)


def delete(entry: str) -> None:
    """Delete one entry.

    Raises:
        KeyringUnusable: it could not be done; it may be locked.
    """
    _asked(lambda: _deleted(entry))


def _listed() -> list[str]:
    import secretstorage

    with closing(secretstorage.dbus_init()) as connection:
        items = _items(connection, {"service": SERVICE})
        return [str(item.get_attributes().get("username", "")) for item in items]


def _deleted(entry: str) -> None:
    import secretstorage

    with closing(secretstorage.dbus_init()) as connection:
        for item in _items(connection, {"service": SERVICE, "username": entry}):
            item.delete()


def _items(connection: object, attributes: dict[str, str]) -> Iterable[Any]:
    import secretstorage

    return list(secretstorage.search_items(connection, attributes))


def _asked(work: Callable[[], Answer]) -> Answer:
    """Have ``work`` done within ``PATIENCE``.

    Raises:
        KeyringUnusable: it was not.
    """
    answer = started(work)
    try:
        error = answer.exception(timeout=PATIENCE)
    except TooLong:  # a daemon that is stuck
        raise KeyringUnusable(f"did not answer within {PATIENCE:.0f} seconds") from None
    if error is not None:
        raise KeyringUnusable(f"refused: {type(error).__name__}")
    return answer.result()

"""The store: tokens and the API keys of logins, on this machine.

The metadata of all tokens are in one file, the index, which contains no secret (``index``). Each
secret is in a vault: the system keyring, or a file that only its owner can read (``vaults``).
A write is ordered so that a kill at any point leaves the old state or the new one
(``transaction``). Reading takes no lock: it sees one version of the index.

Until a secret is written, or read from a keyring, only the standard library is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.store.store import Store

if TYPE_CHECKING:
    from conda_token_plugin.settings import Settings

__all__ = ["MACHINE", "USER", "Store", "machine_store", "stores_of", "user_store"]

USER, MACHINE = "user", "machine"


def user_store(settings: Settings, *, choice: str | None = None) -> Store:
    """Return the user's store; ``choice`` overrides the setting ``CONDA_TOKEN_STORE``.

    Raises:
        BadInput: The setting is not one of the choices.
    """
    return Store(settings.store_folder, choice=choice or settings.store_choice)


def machine_store(settings: Settings) -> Store:
    """Return the store of site tokens for everybody on this machine (``--system``)."""
    return Store(settings.machine_folder, choice="file", machine=True)


def stores_of(settings: Settings) -> dict[str, Store]:
    """Return both stores, ``USER`` and ``MACHINE``, in the order of precedence. Does no I/O.

    Raises:
        BadInput: A setting of a store is wrong.
    """
    return {USER: user_store(settings), MACHINE: machine_store(settings)}

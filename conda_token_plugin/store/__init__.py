"""A store that loses nothing and shows nothing: tokens, and the API key of a login.

What is known of each token is in one file, the *index*, without a secret (``index``).
Each secret lies in a *vault*: the system's keyring, or a small file for the owner alone
(``vaults``). One write after another, in an order that a kill at any point cannot hurt
(``change``). Readers take no lock: they see one version of the index or the next.

This package imports nothing but the standard library until a secret is asked for
or something is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.store.store import Store

if TYPE_CHECKING:
    from conda_token_plugin.settings import Settings

__all__ = ["Store", "machine_store", "user_store"]


def user_store(settings: Settings, *, choice: str | None = None) -> Store:
    """The user's store; ``choice`` overrides the setting ``CONDA_TOKEN_STORE``.

    Raises:
        BadInput: the setting is no choice.
    """
    return Store(settings.store_folder, choice=choice or settings.store_choice)


def machine_store(settings: Settings) -> Store:
    """The store of site tokens for everybody on this machine (``--system``)."""
    return Store(settings.machine_folder, choice="file", machine=True)

"""Write the drop-in from the state of the store, under the store's lock.

Two processes that change the store at the same time would otherwise write the drop-in in another
order than the store, and the file would lack a token.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from conda_token_plugin.integrations.conda import dropin

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.store import Store


def update_dropin(
    path: Path, *, store: Store, signed_by: str | None = None, defaults: bool | None = None
) -> bool:
    """Write the drop-in ``path`` for everything in ``store``; return whether it changed.

    The folder of the store is not created. ``signed_by`` and ``defaults`` are those of
    ``dropin.write``.

    Raises:
        StoreError: The store cannot be read, or another process holds its lock for too long.
        BadInput: conda could not read the file. The old one is unchanged.
        ConfigurationError: The file or its folder cannot be written.
    """
    with store.exclusive() if store.folder.is_dir() else nullcontext():
        tokens = store.credentials()
        return dropin.write(path, tokens=tokens, signed_by=signed_by, defaults=defaults)

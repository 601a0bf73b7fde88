"""Who may read the machine's store: a group that the administrator names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.gateways.files import errors_of
from conda_token_plugin.gateways.locks import locked
from conda_token_plugin.store.folder import SHARED_HINT

if TYPE_CHECKING:
    from pathlib import Path


def share(folder: Path, *, group: str) -> None:
    """Let ``group`` read what is in ``folder`` and what will be: new files take its group.

    Raises:
        BadInput: there is no such group here.
        StoreUnusable: the folder is not the caller's to share, or not there.
        StoreBusy: others wrote to it all the time.
    """
    number = _number(group)
    with locked(folder, hint=SHARED_HINT), errors_of(folder, hint=SHARED_HINT):
        for path in (folder, *folder.rglob("*")):
            os.chown(path, -1, number, follow_symlinks=False)


def _number(group: str) -> int:
    try:
        from grp import getgrnam
    except ImportError:  # Windows
        raise BadInput("--group is not for Windows.", hint="Set the folder's ACL.") from None
    try:
        return getgrnam(group).gr_gid
    except KeyError:  # no such group
        raise BadInput(f"There is no group {group!r}.", hint="See: getent group") from None

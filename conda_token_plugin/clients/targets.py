"""The clients that tokens can be exported to, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.clients.rattler import Rattler
from conda_token_plugin.errors import BadInput

if TYPE_CHECKING:
    from conda_token_plugin.clients.model import Target

TARGETS: tuple[Target, ...] = (Rattler(),)


def target(name: str) -> Target:
    """The target of this name.

    Raises:
        BadInput: there is none.
    """
    for one in TARGETS:
        if one.name == name:
            return one
    raise BadInput(
        f"There is no export target {name!r}.",
        hint=f"Choose from: {', '.join(one.name for one in TARGETS)}.",
    )

"""The clients that tokens can be exported to, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.clients.binstar import CondaFiles
from conda_token_plugin.clients.dotenv import Dotenv
from conda_token_plugin.clients.mamba import Mamba
from conda_token_plugin.clients.netrc import Netrc
from conda_token_plugin.clients.pixi import Pixi
from conda_token_plugin.clients.rattler import Rattler

if TYPE_CHECKING:
    from conda_token_plugin.clients.model import Target

_ALL: tuple[Target, ...] = (
    Rattler(),
    Pixi(),
    Mamba("mamba"),
    Mamba("micromamba"),
    CondaFiles(),
    Netrc(),
    Dotenv(),
)
TARGETS: dict[str, Target] = {one.name: one for one in _ALL}
"""Those that keep what they are given, so that it can be taken back."""

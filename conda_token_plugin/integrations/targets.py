"""The clients that tokens can be exported to, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.integrations.conda.token_files import CondaFiles
from conda_token_plugin.integrations.dotenv import Dotenv
from conda_token_plugin.integrations.mamba import Mamba
from conda_token_plugin.integrations.netrc import Netrc
from conda_token_plugin.integrations.pixi import Pixi
from conda_token_plugin.integrations.rattler import Rattler

if TYPE_CHECKING:
    from conda_token_plugin.integrations.target import Target

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

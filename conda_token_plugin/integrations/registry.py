"""The export targets and the import sources, by the name that the user types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations import (
    anaconda_auth,
    conda_auth,
    docker,
    github_actions,
    mamba,
    netrc,
    rattler,
)
from conda_token_plugin.integrations.conda import condarcs, token_files
from conda_token_plugin.integrations.dotenv import Dotenv
from conda_token_plugin.integrations.pixi import Pixi
from conda_token_plugin.integrations.source import Source
from conda_token_plugin.settings import expanded

if TYPE_CHECKING:
    from conda_token_plugin.integrations.target import Target

_TARGETS: tuple[Target, ...] = (
    rattler.Rattler(),
    Pixi(),
    mamba.Mamba("mamba"),
    mamba.Mamba("micromamba"),
    token_files.CondaFiles(),
    netrc.Netrc(),
    Dotenv(),
)
TARGETS: dict[str, Target] = {one.name: one for one in _TARGETS}
"""Export targets that store what they receive. Their entries are recorded and can be removed."""
UNRECORDED = (github_actions.NAME, docker.NAME)
"""Export targets that store nothing permanently. There is nothing to refresh or to remove."""

_SOURCES = (
    Source("anaconda-auth", anaconda_auth.read),
    Source("anaconda-client", token_files.read),
    Source("conda-auth", conda_auth.read),
    Source("condarc", condarcs.read),
    Source("netrc", netrc.read),
    Source("mamba", mamba.read),
    Source("rattler", rattler.read),
)
SOURCES = {one.name: one for one in _SOURCES}
"""Import sources."""


def source(name: str) -> Source:
    """Return the import source with this name, or one for the URLs in the file at this path.

    Raises:
        BadInput: `name` is neither a source nor an existing file.
    """
    if name in SOURCES:
        return SOURCES[name]
    path = expanded(name)
    if foreign_files.is_file(path):
        return Source(str(path), lambda _: condarcs.in_file(absolute(path)))
    raise BadInput(
        f"{name!r} is neither a source nor an existing file.",
        hint=f"Choose from: {', '.join(SOURCES)}; or a path.",
    )

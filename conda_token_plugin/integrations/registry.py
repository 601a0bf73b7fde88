"""The export targets and the import sources, by the name that the user types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations import docker, github_actions
from conda_token_plugin.integrations.anaconda_auth import AnacondaAuth
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.integrations.conda.condarcs import YAMLFiles
from conda_token_plugin.integrations.conda.token_files import CondaFiles, TokenFiles
from conda_token_plugin.integrations.conda_auth import CondaAuth
from conda_token_plugin.integrations.dotenv import Dotenv
from conda_token_plugin.integrations.mamba import Mamba, MambaSource
from conda_token_plugin.integrations.netrc import Netrc, NetrcSource
from conda_token_plugin.integrations.pixi import Pixi
from conda_token_plugin.integrations.rattler import Rattler, RattlerSource
from conda_token_plugin.settings import expanded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conda_token_plugin.integrations.source import FoundCredential, Source
    from conda_token_plugin.integrations.target import Target
    from conda_token_plugin.settings import Settings

_TARGETS: tuple[Target, ...] = (
    Rattler(),
    Pixi(),
    Mamba("mamba"),
    Mamba("micromamba"),
    CondaFiles(),
    Netrc(),
    Dotenv(),
)
TARGETS: dict[str, Target] = {one.name: one for one in _TARGETS}
"""Export targets that store what they receive. Their entries are recorded and can be removed."""
UNRECORDED = (github_actions.NAME, docker.NAME)
"""Export targets that store nothing permanently. There is nothing to refresh or to remove."""

_SOURCES: tuple[Source, ...] = (
    AnacondaAuth(),
    TokenFiles(),
    CondaAuth(),
    YAMLFiles(),
    NetrcSource(),
    MambaSource(),
    RattlerSource(),
)
SOURCES: dict[str, Source] = {one.name: one for one in _SOURCES}
"""Import sources."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that the user names. Its URLs are searched for credentials."""

    path: Path

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self.path)

    def offers(self, settings: Settings) -> Iterator[FoundCredential]:
        """Yield the credentials in the URLs of the file."""
        return condarcs.in_file(absolute(self.path), settings=settings, source=self.name)


def source(name: str) -> Source:
    """Return the import source with this name, or the file at this path.

    Raises:
        BadInput: `name` is neither a source nor an existing file.
    """
    if name in SOURCES:
        return SOURCES[name]
    path = expanded(name)
    if foreign_files.is_file(path):
        return FileSource(path)
    raise BadInput(
        f"{name!r} is neither a source nor an existing file.",
        hint=f"Choose from: {', '.join(SOURCES)}; or a path.",
    )

"""The sources that tokens can be imported from, by name; and any file, by its path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.integrations.anaconda_auth import AnacondaAuth
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.integrations.conda.condarcs import YAMLFiles
from conda_token_plugin.integrations.conda.token_files import TokenFiles
from conda_token_plugin.integrations.conda_auth import CondaAuth
from conda_token_plugin.integrations.mamba import MambaSource
from conda_token_plugin.integrations.netrc_source import NetrcSource
from conda_token_plugin.integrations.rattler import RattlerSource
from conda_token_plugin.settings import absolute, expanded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conda_token_plugin.integrations.source import FoundCredential, Source
    from conda_token_plugin.settings import Settings

_ALL: tuple[Source, ...] = (
    AnacondaAuth(),
    TokenFiles(),
    CondaAuth(),
    YAMLFiles(),
    NetrcSource(),
    MambaSource(),
    RattlerSource(),
)
SOURCES: dict[str, Source] = {one.name: one for one in _ALL}


@dataclass(frozen=True, slots=True)
class FileSource:
    """A file that the user names: its URLs."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def offers(self, settings: Settings) -> Iterator[FoundCredential]:
        """What its URLs carry."""
        return condarcs.in_file(absolute(self.path), settings=settings, source=self.name)


def source(name: str) -> Source:
    """The source of this name, or the file at this path.

    Raises:
        BadInput: there is neither.
    """
    if name in SOURCES:
        return SOURCES[name]
    path = expanded(name)
    if foreign_files.is_file(path):
        return FileSource(path)
    raise BadInput(
        f"{name!r} is no source and no file.", hint=f"Choose from: {', '.join(SOURCES)}; or a path."
    )

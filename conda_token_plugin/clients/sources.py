"""The sources that tokens can be imported from, by name; and any file, by its path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_token_plugin.clients import condarcs, foreign
from conda_token_plugin.clients.anaconda_auth import AnacondaAuth
from conda_token_plugin.clients.binstar import TokenFiles
from conda_token_plugin.clients.conda_auth import CondaAuth
from conda_token_plugin.clients.condarcs import YAMLFiles
from conda_token_plugin.clients.mamba import MambaSource
from conda_token_plugin.clients.netrc_source import NetrcSource
from conda_token_plugin.clients.rattler import RattlerSource
from conda_token_plugin.environment import absolute, expanded
from conda_token_plugin.errors.input import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conda_token_plugin.clients.offers import Offer, Source
    from conda_token_plugin.environment import Environment

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

    def offers(self, environment: Environment) -> Iterator[Offer]:
        """What its URLs carry."""
        return condarcs.in_file(absolute(self.path), environment=environment, source=self.name)


def source(name: str) -> Source:
    """The source of this name, or the file at this path.

    Raises:
        BadInput: there is neither.
    """
    if name in SOURCES:
        return SOURCES[name]
    path = expanded(name)
    if foreign.is_file(path):
        return FileSource(path)
    raise BadInput(
        f"{name!r} is no source and no file.", hint=f"Choose from: {', '.join(SOURCES)}; or a path."
    )

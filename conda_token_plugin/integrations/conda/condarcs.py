"""Configuration files of conda and mamba, and environment files: tokens in the URLs there.

Where conda looks is documented (https://docs.conda.io/projects/conda/en/stable/
user-guide/configuration/use-condarc.html); it is asked without conda here.
Files are read as text, so that a URL can be changed and every other byte stays; ruamel.yaml then
says whether the change is the one that was meant.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.integrations.source import Plain, RawCredential, offered
from conda_token_plugin.settings import absolute
from conda_token_plugin.tokens.token import AuthScheme
from conda_token_plugin.tokens.url_credentials import laden, line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conda_token_plugin.integrations.source import FoundCredential
    from conda_token_plugin.settings import Settings

NAMES = (".condarc", "condarc")
ENVIRONMENT_FILES = ("environment.yml", "environment.yaml")


@dataclass(frozen=True, slots=True)
class YAMLFiles:
    """Every configuration file, and the environment files of the folder we are in."""

    name: str = "condarc"

    def offers(self, settings: Settings) -> Iterator[FoundCredential]:
        """What their URLs carry."""
        for path in (*files(settings), *(absolute(Path(name)) for name in ENVIRONMENT_FILES)):
            yield from in_file(path, settings=settings, source=self.name)


def in_file(path: Path, *, settings: Settings, source: str) -> Iterator[FoundCredential]:
    """What the URLs in any text file carry.

    Raises:
        ConfigurationError: it cannot be read.
    """
    data = foreign_files.glance(path)
    text = "" if data is None else data.decode("utf-8", "replace")
    sightings = (
        RawCredential(
            source=source,
            where=f"{path} line {line_of(text, one.start)}",
            urls=(one.channel,),
            value=one.value,
            way=AuthScheme.BASIC if one.username else AuthScheme.PATH,
            username=one.username,
            plain=Plain(path=path, without=_without(one.value)),
        )
        for one in laden(text)
    )
    return offered(sightings, settings=settings)


def files(settings: Settings) -> tuple[Path, ...]:
    """The configuration files that there are, in the order in which conda reads them."""
    found: list[Path] = []
    for folder in _folders(settings):
        found += [folder / name for name in NAMES]
        found += sorted((folder / "condarc.d").glob("*.y*ml"))
    found += [settings.home / ".condarc", settings.home / ".mambarc"]
    found += [Path(named)] if (named := settings.variables.get("CONDARC")) else []
    return tuple(filter(foreign_files.is_file, dict.fromkeys(found)))


def parsed(data: bytes) -> Any:
    """The content of a YAML file; None where it is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(data)
    except (YAMLError, ValueError, RecursionError):  # damaged, a template, a date that is none
        return None


def texts(value: object) -> Iterator[str]:
    """Every text in a parsed file."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def without_urls(text: str, *, values: Iterable[str]) -> str:
    """``text`` where the URLs that carry one of ``values`` do so no longer."""
    doomed, pieces, at = set(values), [], 0
    for one in laden(text):
        if one.value in doomed:
            pieces += [text[at : one.start], one.clean]
            at = one.end
    return "".join((*pieces, text[at:]))


def _without(value: str) -> Any:
    def without(data: bytes) -> bytes:
        after = without_urls(data.decode(), values=[value]).encode()
        before_texts, after_texts = list(texts(parsed(data))), list(texts(parsed(after)))
        if [without_urls(one, values=[value]) for one in before_texts] != after_texts:
            raise ValueError("holds the token in a way that only a person can change")
        return after

    return without


def _folders(settings: Settings) -> Iterator[Path]:
    variables, home = settings.variables, settings.home
    if sys.platform == "win32":
        yield Path("C:/ProgramData/conda")
    else:
        yield from (Path("/etc/conda"), Path("/var/lib/conda"))
    yield from roots(settings)
    if variables.get("XDG_CONFIG_HOME"):
        yield Path(variables["XDG_CONFIG_HOME"]) / "conda"
    yield from (home / ".config" / "conda", home / ".conda")
    if variables.get("CONDA_PREFIX"):
        yield Path(variables["CONDA_PREFIX"])


def roots(settings: Settings) -> Iterator[Path]:
    """The root prefixes of the condas and mambas that this shell knows, each once."""
    variables = settings.variables
    named = [
        Path(variables[name]) for name in ("CONDA_ROOT", "MAMBA_ROOT_PREFIX") if name in variables
    ]
    if variables.get("CONDA_EXE"):
        named.append(Path(variables["CONDA_EXE"]).parent.parent)
    here = Path(sys.prefix)
    if (here / "conda-meta").is_dir():
        named.append(here)
    yield from dict.fromkeys(named)

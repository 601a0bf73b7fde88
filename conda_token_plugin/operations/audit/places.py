"""Where tokens are left behind: files of conda, of shells, and of the folder we are in.

Kinds of files differ in what may be done about a find: a *record* tells what has been (histories,
caches, installed packages), and nothing needs its tokens; a *setting* is used (condarc, lock files,
``.env``), so a token that is nowhere else must not be taken out of it; a *package* is sealed
by its checksum.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.settings import absolute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conda_token_plugin.settings import Settings


class PlaceKind(Enum):
    """What a file is for."""

    RECORD = "record"
    HISTORY = "history"
    """A shell's: a record of lines that somebody typed."""
    SETTING = "setting"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class AuditPlace:
    """A file to look into."""

    path: Path
    kind: PlaceKind


PACKAGES = (".conda", ".tar.bz2")
HISTORIES = (
    ".bash_history",
    ".zsh_history",
    ".sh_history",
    ".python_history",
    ".local/share/fish/fish_history",
    ".local/share/powershell/PSReadLine/ConsoleHost_history.txt",
    "AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
)
PROJECT = (".env", ".env.*", "*.yml", "*.yaml", "*.lock", "pixi.toml", "pyproject.toml", "*.txt")
"""In the folder we are in."""
SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".mypy_cache"})
CACHED = (
    "*/info/about.json",
    "*/info/repodata_record.json",
    "cache/*.info.json",
    "cache/*.state.json",
)
RECORDS = ("history", "urls.txt", "urls", "about.json", "repodata_record.json", "index.json")


def named(paths: Iterable[Path]) -> Iterator[AuditPlace]:
    """The files that ``paths`` are, or hold at any depth; links are not followed."""
    for path in paths:
        if path.is_dir():
            yield from (AuditPlace(one, kind_of(one)) for one in _walked(path))
        else:
            yield AuditPlace(path, kind_of(path))


def usual(settings: Settings) -> tuple[AuditPlace, ...]:
    """The files where tokens have been seen (conda#8157, conda-lock#77, setup-miniconda#519 …)."""
    found = [
        *((path, PlaceKind.SETTING) for path in condarcs.files(settings)),
        *((path, PlaceKind.SETTING) for path in _settings(settings)),
        *(
            (path, PlaceKind.RECORD)
            for prefix in _prefixes(settings)
            for path in _installed(prefix)
        ),
        *((path, PlaceKind.RECORD) for cache in _caches(settings) for path in _cached(cache)),
        *((settings.home / name, PlaceKind.HISTORY) for name in HISTORIES),
    ]
    if history := settings.variables.get("HISTFILE"):
        found.append((Path(history), PlaceKind.HISTORY))
    kinds = {path: kind for path, kind in reversed(found) if foreign_files.is_file(path)}
    return tuple(AuditPlace(path, kind) for path, kind in reversed(kinds.items()))


def kind_of(path: Path) -> PlaceKind:
    """What a file is for, by its name."""
    if path.name.endswith(PACKAGES):
        return PlaceKind.PACKAGE
    if path.name in {Path(name).name for name in HISTORIES}:
        return PlaceKind.HISTORY
    inside = path.parent.name in {"conda-meta", "info"}
    record = path.name in RECORDS or (inside and path.suffix == ".json")
    return PlaceKind.RECORD if record else PlaceKind.SETTING


def _walked(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        yield from filter(foreign_files.is_file, [Path(parent, ".git", "config")])
        yield from (
            Path(parent, name) for name in sorted(names) if not Path(parent, name).is_symlink()
        )


def _settings(settings: Settings) -> Iterator[Path]:
    home = settings.home
    yield from (home / ".pip" / "pip.conf", home / ".config" / "pip" / "pip.conf")
    here = absolute(Path())
    for pattern in PROJECT:
        yield from sorted(here.glob(pattern))


def _prefixes(settings: Settings) -> Iterator[Path]:
    """Every environment that conda has noted, and those below the roots."""
    noted = settings.home / ".conda" / "environments.txt"
    lines = (foreign_files.glance(noted) or b"").decode("utf-8", "replace").splitlines()
    yield from (Path(line) for line in lines if line.strip())
    for root in condarcs.roots(settings):
        yield root
        yield from sorted((root / "envs").glob("*"))


def _installed(prefix: Path) -> Iterator[Path]:
    yield prefix / "conda-meta" / "history"
    yield from sorted((prefix / "conda-meta").glob("*.json"))


def _caches(settings: Settings) -> Iterator[Path]:
    named = settings.variables.get("CONDA_PKGS_DIRS", "")
    yield from (Path(one) for one in named.replace(",", os.pathsep).split(os.pathsep) if one)
    yield settings.home / ".conda" / "pkgs"
    yield from (root / "pkgs" for root in condarcs.roots(settings))


def _cached(cache: Path) -> Iterator[Path]:
    yield from (cache / "urls.txt", cache / "urls")
    for pattern in CACHED:
        yield from sorted(cache.glob(pattern))

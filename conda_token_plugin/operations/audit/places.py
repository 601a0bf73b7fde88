"""Where tokens are left behind: files of conda and of other tools, shell histories, a folder.

The kind of a file decides what may be done about a finding. A *record* says what happened
(histories, caches, installed packages), and nothing needs the tokens in it. A *setting* is in use
(condarc, lock files, ``.env``), so a token that is stored nowhere else must not be removed. A
*credential* file belongs to another tool, which reads the token there. A *package* is sealed by
its checksum.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations.conda import condarcs, token_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from conda_token_plugin.settings import Settings


class PlaceKind(Enum):
    """What a file is for."""

    RECORD = "record"
    HISTORY = "history"
    """A shell history: a record of typed lines."""
    CREDENTIAL = "credential"
    """A file in which another tool keeps the tokens that it sends."""
    SETTING = "setting"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True)
class AuditPlace:
    """A file to search."""

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
"""Searched in the current folder."""
SKIPPED = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__", ".mypy_cache"})
CACHED = (
    "*/info/about.json",
    "*/info/repodata_record.json",
    "cache/*.info.json",
    "cache/*.state.json",
    *("http/**/*.json", "http/**/urls.txt"),  # mamba: a folder for each host
)
CREDENTIALS = (
    ".anaconda/keyring",
    ".mamba/auth/authentication.json",
    ".rattler/credentials.json",
    ".continuum/anaconda-client/tokens/*.token",
    ".netrc",
    "_netrc",
)
"""Credential files of other tools, below the home folder."""
_CREDENTIAL_NAMES = {Path(name).name for name in CREDENTIALS}
RECORDS = ("history", "urls.txt", "urls", "about.json", "repodata_record.json", "index.json")


def named(paths: Iterable[Path]) -> Iterator[AuditPlace]:
    """Yield ``paths``, and the files at any depth of those that are folders. Follow no links."""
    for path in paths:
        if path.is_dir():
            yield from (AuditPlace(one, kind_of(one)) for one in _walked(path))
        else:
            yield AuditPlace(path, kind_of(path))


def usual(settings: Settings) -> tuple[AuditPlace, ...]:
    """Return the files where tokens are known to appear (conda#8157, conda-lock#77 and others)."""
    found = [
        *((path, PlaceKind.SETTING) for path in condarcs.files(settings)),
        *((path, PlaceKind.SETTING) for path in _settings(settings)),
        *((path, PlaceKind.CREDENTIAL) for path in credential_files(settings)),
        *(
            (path, PlaceKind.RECORD)
            for prefix in condarcs.environments(settings)
            for path in installed(prefix)
        ),
        *(
            (path, PlaceKind.RECORD)
            for cache in condarcs.package_caches(settings)
            for path in _cached(cache)
        ),
        *((settings.home / name, PlaceKind.HISTORY) for name in HISTORIES),
    ]
    if history := settings.variables.get("HISTFILE"):
        found.append((Path(history), PlaceKind.HISTORY))
    kinds = {path: kind for path, kind in reversed(found) if foreign_files.is_file(path)}
    return tuple(AuditPlace(path, kind) for path, kind in reversed(kinds.items()))


def kind_of(path: Path) -> PlaceKind:
    """Return what a file is for, by its name."""
    if path.name.endswith(PACKAGES):
        return PlaceKind.PACKAGE
    if path.name.endswith(token_files.SUFFIX) or path.name in _CREDENTIAL_NAMES:
        return PlaceKind.CREDENTIAL
    if path.name in {Path(name).name for name in HISTORIES}:
        return PlaceKind.HISTORY
    inside = path.parent.name in {"conda-meta", "info"}
    record = path.name in RECORDS or (inside and path.suffix == ".json")
    return PlaceKind.RECORD if record else PlaceKind.SETTING


def _walked(folder: Path) -> Iterator[Path]:
    """Yield the files at any depth; ``os.walk`` fails at 1,000 levels before Python 3.12."""
    waiting = [folder]
    while waiting:
        parent = waiting.pop()
        folders, files = _listed(parent)
        waiting += reversed(folders)
        yield from filter(foreign_files.is_file, [parent / ".git" / "config"])
        yield from files


def _listed(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders to search in ``folder`` and its regular files, sorted; no links."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda one: one.name)
        folders = [Path(one) for one in entries if one.is_dir(follow_symlinks=False)]
        files = [Path(one) for one in entries if one.is_file(follow_symlinks=False)]
    except OSError:  # not permitted, deleted meanwhile, or its path is too long
        return [], []
    return [one for one in folders if one.name not in SKIPPED], files


def _settings(settings: Settings) -> Iterator[Path]:
    home = settings.home
    yield from (home / ".pip" / "pip.conf", home / ".config" / "pip" / "pip.conf")
    here = absolute(Path())
    for pattern in PROJECT:
        yield from foreign_files.matching(here, pattern)


def credential_files(settings: Settings) -> Iterator[Path]:
    """Yield the files in which other tools keep tokens; one that a variable names may not exist."""
    for pattern in CREDENTIALS:
        yield from foreign_files.matching(settings.home, pattern)
    yield from foreign_files.matching(token_files.folder(settings), f"*{token_files.SUFFIX}")
    for name in ("NETRC", "RATTLER_AUTH_FILE"):
        if named := settings.variables.get(name):
            yield Path(named)


def installed(prefix: Path) -> Iterator[Path]:
    """Yield the history and the records of an environment; the history may not exist."""
    yield prefix / "conda-meta" / "history"
    yield from foreign_files.matching(prefix / "conda-meta", "*.json")


def _cached(cache: Path) -> Iterator[Path]:
    yield from (cache / "urls.txt", cache / "urls")
    for pattern in CACHED:
        yield from foreign_files.matching(cache, pattern)

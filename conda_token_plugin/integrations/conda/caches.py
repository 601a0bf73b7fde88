"""What conda remembers of channels, and how to make it forget a token's.

A channel that refuses its zst or shards index is taken to have none, for a week; older condas
take one that refuses a subdir to be empty. When the token changes, that is to be asked anew.

conda keeps it in ``<package cache>/cache/<hash>.*``, where the hash is that of the subdir's URL
(``conda.gateways.repodata.cache_fn_url``). A hash cannot be undone, so channels that refuse are
noted as they do (``note_refused``), and others are guessed from what is configured.
Single shards are left alone: they are named by their content, and none is remembered as absent.

Nothing here raises: a cache that cannot be cleared costs time and breaks nothing.
"""

from __future__ import annotations

import json
import os
import re
import sys
from hashlib import md5
from os.path import expanduser
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.gateways import state_file
from conda_token_plugin.tokens.scope import SUBDIRS, channel_of, longest_prefix, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conda_token_plugin.settings import Settings

NOTES = "refused.json"
"""In the store's folder: the channels that refused since the last change of their token."""
MOST_NOTES = 500
INDEXES = ("", "current_repodata.json")
"""What conda adds to a subdir's URL before it takes the hash, for each kind of index."""
_CACHED = re.compile(r"([0-9a-f]{8})1?\.")
"""A name in the cache; the 1 is there with ``use_only_tar_bz2``."""
_TEXT = re.compile(r"""[^\s"'<>,:\[\]{}#]+(?:://[^\s"'<>,\[\]{}]+)?""")
"""A word of a YAML file, or a URL."""


def note_refused(url: str, *, folder: Path) -> None:
    """Note in ``folder`` that the channel in which ``url`` lies has refused."""
    channel = channel_of(without_secrets(url))
    if channel in _noted(folder):
        return
    state_file.update(folder / NOTES, lambda old: [*_urls(old), channel][-MOST_NOTES:])


def forget(
    prefixes: Iterable[str], *, settings: Settings, channels: Iterable[str] = ()
) -> tuple[Path, ...]:
    """Delete what conda's caches hold of everything below ``prefixes``, and of nothing else.

    ``channels`` are URLs that are known to be channels. Returns the files that were deleted.
    """
    wanted = frozenset(prefixes)
    cached = {path: name for folder in folders(settings) for path, name in _cached(folder)}
    names = set()
    if cached:  # else the thousands of names that there may be need not be found out
        known = {*channels, *_noted(settings.store_folder), *_guessed(wanted, settings)}
        names = {*_names(known, among=wanted), *_told(cached, among=wanted)}
    _drop_notes(settings.store_folder, among=wanted)
    return tuple(path for path, name in cached.items() if name in names and _deleted(path))


def name_of(subdir: str, *, index: str = "") -> str:
    """The first eight characters of the names under which conda caches ``subdir``."""
    return md5(f"{subdir}/{index}".encode(), usedforsecurity=False).hexdigest()[:8]


def folders(settings: Settings) -> tuple[Path, ...]:
    """Conda's index caches: of the conda that runs this, or of those that can be found."""
    # Path.expanduser raises for a user whom it does not know.
    homes = (expanduser(one) for one in _packages(settings))  # noqa: PTH111  # as said above
    return tuple(dict.fromkeys(Path(one) / "cache" for one in homes))


def _guessed(prefixes: Iterable[str], settings: Settings) -> Iterator[str]:
    """What may be a channel below ``prefixes``: whatever stands in a condarc, at any place.

    A name of ``channels:`` may be a URL, or lie below an alias or a custom channel.
    """
    written = [text for path in _condarcs(settings) for text in _TEXT.findall(_text(path))]
    names = {without_secrets(text).strip("/") for text in written}
    yield from (name for name in names if "://" in name)
    for prefix in prefixes:
        yield from (prefix, f"{prefix}/main")
        host, parts = prefix.split("/")[:3], prefix.split("/")[3:]
        parents = ["/".join([*host, *parts[:depth]]) for depth in range(len(parts) + 1)]
        yield from (f"{parent}/{name}" for parent in parents for name in names)


def _condarcs(settings: Settings) -> Iterator[Path]:
    """The user's condarc files, and those of the prefix that this runs in."""
    if settings.variables.get("CONDARC"):
        yield Path(settings.variables["CONDARC"])
    for folder in (settings.home, settings.home / ".conda", Path(sys.prefix)):
        yield folder / ".condarc"
        yield from (folder / "condarc.d").glob("*.y*ml")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:  # it is not there, or not for us
        return ""


def _packages(settings: Settings) -> Iterator[str | Path]:
    """The package caches of conda."""
    loaded = sys.modules.get("conda.base.context")
    if loaded is not None:
        yield from loaded.context.pkgs_dirs
        return
    variables = settings.variables
    yield from (one for one in variables.get("CONDA_PKGS_DIRS", "").split(os.pathsep) if one)
    if variables.get("CONDA_EXE"):
        yield Path(variables["CONDA_EXE"]).parents[1] / "pkgs"
    yield settings.home / ".conda" / "pkgs"


def _cached(folder: Path) -> Iterator[tuple[Path, str]]:
    """The files of a cache, and the names that they have there."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    yield from ((path, hit[1]) for path in files if (hit := _CACHED.match(path.name)))


def _names(channels: Iterable[str], *, among: frozenset[str]) -> Iterator[str]:
    """What indexes of those of ``channels`` that are below ``among`` may be called."""
    for channel in channels:
        if longest_prefix(f"{channel}/", among=among):
            for subdir in SUBDIRS:
                for index in INDEXES:
                    yield name_of(f"{channel.rstrip('/')}/{subdir}", index=index)


def _told(cached: Mapping[Path, str], *, among: frozenset[str]) -> Iterator[str]:
    """The names of what says itself that it is from below ``among``."""
    for path, name in cached.items():
        if path.name.endswith(".info.json") and longest_prefix(_url_in(path), among=among):
            yield name


def _url_in(state: Path) -> str:
    """The subdir's URL, which conda writes into the state of an index that it got."""
    content = _json(state)
    url = content.get("url") if isinstance(content, dict) else None
    return f"{without_secrets(url)}/" if isinstance(url, str) else ""


def _noted(folder: Path) -> list[str]:
    return _urls(state_file.read(folder / NOTES))


def _urls(content: object) -> list[str]:
    known = content if isinstance(content, list) else []
    return [one for one in known if isinstance(one, str)]


def _drop_notes(folder: Path, *, among: frozenset[str]) -> None:
    def others(old: object) -> object:
        return [one for one in _urls(old) if not longest_prefix(f"{one}/", among=among)] or None

    if any(longest_prefix(f"{one}/", among=among) for one in _noted(folder)):
        state_file.update(folder / NOTES, others)


def _json(path: Path) -> object:
    try:
        content: object = json.loads(path.read_text("utf-8", "replace"))
    except (OSError, ValueError, RecursionError):  # not there, being written, or damaged
        return None
    return content


def _deleted(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:  # another process was faster, or the cache is not ours to change
        return False
    return True

"""Delete what conda has cached about the channels of a token that changed.

If a channel refuses its zst or shards index, conda treats that index as absent for a week. Earlier
versions of conda treat a refused subdir as empty. Both are wrong after a token for the channel was
stored.

conda caches this in ``<package cache>/cache/<hash>.*``, with the hash of the subdir's URL
(``conda.gateways.repodata.cache_fn_url``). The URL cannot be computed from the hash. So channels
that refuse a request are recorded (``note_refused``), and others are derived from the configuration
files. Single shards are kept, because their names are hashes of their content.

Nothing here raises, because a cache that cannot be deleted only costs time.
"""

from __future__ import annotations

import re
import sys
from hashlib import md5
from os.path import expanduser
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.gateways import foreign_files, state_file
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.integrations.source import json_object, text
from conda_token_plugin.tokens.scope import SUBDIRS, channel_of, longest_prefix, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from conda_token_plugin.settings import Settings

NOTES = "refused.json"
"""A file in the store's folder: channels that refused since their token last changed."""
MAX_NOTES = 500
INDEXES = ("", "current_repodata.json")
"""What conda adds to a subdir's URL before it takes the hash, for each kind of index."""
_CACHED = re.compile(r"([0-9a-f]{8})1?\.")
"""A file name in the cache; with ``use_only_tar_bz2`` there is a 1 after the hash."""
_WORD = re.compile(r"""[^\s"'<>,:\[\]{}#]+(?:://[^\s"'<>,\[\]{}]+)?""")
"""A word of a YAML file, or a URL."""


def note_refused(url: str, *, folder: Path) -> None:
    """Record in ``folder`` that the channel of ``url`` has refused a request."""
    channel = channel_of(without_secrets(url))
    if channel in _noted(folder):
        return
    state_file.update(folder / NOTES, lambda old: [*_urls(old), channel][-MAX_NOTES:])


def forget(
    prefixes: Iterable[str], *, settings: Settings, channels: Iterable[str] = ()
) -> tuple[Path, ...]:
    """Delete the cached indexes of all channels below ``prefixes``, and no others.

    ``channels`` are URLs that are known to be channels.

    Returns:
        The files that were deleted.
    """
    wanted = frozenset(prefixes)
    cached = {path: name for folder in folders(settings) for path, name in _cached(folder)}
    names = set()
    if cached:  # otherwise thousands of possible names need not be computed
        known = {*channels, *_noted(settings.store_folder), *_guessed(wanted, settings)}
        names = {*_names(known, among=wanted), *_stated(cached, among=wanted)}
    _drop_notes(settings.store_folder, among=wanted)
    return tuple(path for path, name in cached.items() if name in names and _deleted(path))


def name_of(subdir: str, *, index: str = "") -> str:
    """Return the first eight characters of conda's file names for ``subdir``."""
    return md5(f"{subdir}/{index}".encode(), usedforsecurity=False).hexdigest()[:8]


def folders(settings: Settings) -> tuple[Path, ...]:
    """Return the index caches: of the conda that runs this process, or of all known condas."""
    # Path.expanduser raises for an unknown user.
    homes = (expanduser(one) for one in _packages(settings))  # noqa: PTH111  # see the comment above
    return tuple(dict.fromkeys(Path(one) / "cache" for one in homes))


def _guessed(prefixes: Iterable[str], settings: Settings) -> Iterator[str]:
    """Yield possible channels below ``prefixes``, from every word of every condarc file.

    A channel name may be a URL, or relative to an alias or to a custom channel.
    """
    words = [word for path in condarcs.files(settings) for word in _WORD.findall(_content(path))]
    names = {without_secrets(word).strip("/") for word in words}
    yield from (name for name in names if "://" in name)
    for prefix in prefixes:
        yield from (prefix, f"{prefix}/main")
        host, parts = prefix.split("/")[:3], prefix.split("/")[3:]
        parents = ["/".join([*host, *parts[:depth]]) for depth in range(len(parts) + 1)]
        yield from (f"{parent}/{name}" for parent in parents for name in names)


def _content(path: Path) -> str:
    try:
        return (foreign_files.read_any(path) or b"").decode("utf-8", "replace")
    except ConfigurationError:  # not readable by this user, or too large
        return ""


def _packages(settings: Settings) -> Iterator[str | Path]:
    """Yield the package caches of conda."""
    loaded = sys.modules.get("conda.base.context")
    if loaded is not None:
        yield from loaded.context.pkgs_dirs
        return
    yield from condarcs.package_caches(settings)


def _cached(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the files of a cache, each with its hash."""
    files = foreign_files.matching(folder, "*")
    yield from ((path, hit[1]) for path in files if (hit := _CACHED.match(path.name)))


def _names(channels: Iterable[str], *, among: frozenset[str]) -> Iterator[str]:
    """Yield the hashes of the possible indexes of ``channels`` below ``among``."""
    for channel in channels:
        if longest_prefix(f"{channel}/", among=among):
            for subdir in SUBDIRS:
                for index in INDEXES:
                    yield name_of(f"{channel.rstrip('/')}/{subdir}", index=index)


def _stated(cached: Mapping[Path, str], *, among: frozenset[str]) -> Iterator[str]:
    """Yield the hashes of indexes whose state file names a URL below ``among``."""
    for path, name in cached.items():
        if path.name.endswith(".info.json") and longest_prefix(_url_in(path), among=among):
            yield name


def _url_in(state: Path) -> str:
    """Return the URL of the subdir, which conda writes into the state file of an index."""
    url = text(json_object(_content(state)) or {}, "url")
    return f"{without_secrets(url)}/" if url else ""


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


def _deleted(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:  # already deleted by another process, or the cache is read-only
        return False
    return True

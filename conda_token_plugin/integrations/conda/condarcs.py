"""Configuration files of conda and mamba: where they are, and the credentials in their URLs.

This is the only module that knows where condarc files, root prefixes, environments and package
caches are. The search path is documented (https://docs.conda.io/projects/conda/en/stable/
user-guide/configuration/use-condarc.html); it is computed here without importing conda.

The files are edited as text, so that only the URL changes. The result is parsed again, and the
change is refused unless it changed exactly the values that it was meant to change.
"""

from __future__ import annotations

import os
import re
import sys
from os.path import isdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations.source import PlainTextCopy, RawCredential
from conda_token_plugin.tokens.scope import path_before_token, without_secrets
from conda_token_plugin.tokens.token import AuthScheme
from conda_token_plugin.tokens.url_credentials import line_of, url_credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda_token_plugin.settings import Settings

MAX_YAML = 1024 * 1024
"""Bytes of a YAML file that is parsed, which takes 6 seconds (ruamel.yaml 0.18, Python 3.11)."""
MAX_DEPTH = 100
"""Levels of brackets."""
MAX_NODES = 100_000
"""Nodes of a YAML file."""
NAMES = (".condarc", "condarc")
ENVIRONMENT_FILES = ("environment.yml", "environment.yaml")


def read(settings: Settings) -> Iterator[RawCredential]:
    """Yield the credentials in condarc files, and in environment files of the current folder.

    The import source.
    """
    for path in (*files(settings), *(absolute(Path(name)) for name in ENVIRONMENT_FILES)):
        yield from in_file(path)


def in_file(path: Path) -> Iterator[RawCredential]:
    """Yield the credentials in the URLs of any text file.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    data = foreign_files.read_any(path)
    text = "" if data is None else data.decode("utf-8", "replace")
    for one in url_credentials(text):
        typed = text[one.start : one.end]
        alias = _alias(data or b"") if typed.startswith("t/") else ""
        yield RawCredential(
            where=f"{path} line {line_of(text, one.start)}",
            urls=(f"{alias}{one.channel.removesuffix('/*')}",),
            value=one.value,
            scheme=AuthScheme.BASIC if one.username else AuthScheme.PATH,
            username=one.username,
            path_before=path_before_token(f"{alias}{typed}"),
            plain=PlainTextCopy(path=path, without=_without(one.value)),
        )


def _alias(data: bytes) -> str:
    """Return the beginning of the URL of a channel that a configuration file names, or ""."""
    content = parsed(data)
    alias = content.get("channel_alias") if isinstance(content, dict) else None
    return f"{alias.rstrip('/')}/" if isinstance(alias, str) else ""


def files(settings: Settings) -> tuple[Path, ...]:
    """Return the existing configuration files, in the order in which conda reads them."""
    found: list[Path] = []
    for folder in _folders(settings):
        found += [folder / name for name in NAMES]
        found += foreign_files.matching(folder / "condarc.d", "*.y*ml")
    found += [settings.home / ".condarc", settings.home / ".mambarc"]
    found += [Path(named)] if (named := settings.variables.get("CONDARC")) else []
    return tuple(filter(foreign_files.is_file, dict.fromkeys(found)))


def configured_channels(settings: Settings) -> tuple[str, ...]:
    """Return the channels that conda uses, in order: from ``CONDA_CHANNELS`` and all condarc files.

    An empty result means that none is configured: conda up to 25.x then uses ``defaults``, and
    conda 26.7 fails. ``default_channels`` has an effect only if ``defaults`` is in the result.
    Among the flags only ``#!top`` is respected, which is the one that the drop-in uses.
    """
    top: list[str] = []
    rest: list[str] = []
    for path in files(settings):
        data = foreign_files.read_any(path) or b""
        names = [one for one in listed(data, "channels") if isinstance(one, str)]
        first = b"#!top" in data and path == settings.condarc
        top, rest = (names + top, rest) if first else (top, names + rest)
    named = settings.variables.get("CONDA_CHANNELS", "").split(",")
    return tuple(dict.fromkeys([*top, *filter(None, map(str.strip, named)), *rest]))


def channels_without_token(settings: Settings) -> tuple[str, ...]:
    """Return the configured channels that no token is sent to: folders, buckets, registries."""
    urls = (one for one in configured_channels(settings) if "://" in one)
    return tuple(
        without_secrets(url)
        for url in urls
        if url.partition("://")[0].lower() not in {"http", "https"}
    )


def parsed(data: bytes) -> Any:
    """Return the content of a YAML file, or None if it cannot be parsed or exceeds a limit.

    A few lines of aliases can stand for billions of nodes, and a node can contain itself.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if len(data) > MAX_YAML or _brackets(data) > MAX_DEPTH:
        return None
    try:
        content = YAML(typ="safe", pure=True).load(data)
    except (YAMLError, ValueError, RecursionError):  # damaged, a template, an invalid date
        return None
    return content if _is_small(content) else None


def listed(data: bytes, name: str) -> list[Any]:
    """Return the list under ``name`` in the content of a configuration file, or an empty list."""
    whole = parsed(data)
    found = whole.get(name) if isinstance(whole, dict) else None
    return found if isinstance(found, list) else []


def texts(value: object) -> Iterator[str]:
    """Yield every string in a parsed file, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(key)
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def _brackets(data: bytes) -> int:
    """Return how deep brackets are nested. The parser takes seconds for thousands of them."""
    depth = deepest = 0
    for bracket in re.findall(rb"[\[\]{}]", data):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _is_small(content: object) -> bool:
    """Return whether parsed YAML has at most ``MAX_NODES`` nodes, with aliases expanded."""
    rest, seen = [content], 0
    while rest and seen <= MAX_NODES:
        seen += 1
        node = rest.pop()
        if isinstance(node, dict):
            rest += (*node, *node.values())
        elif isinstance(node, list):
            rest += node
    return seen <= MAX_NODES


def _without(value: str) -> Callable[[bytes], bytes]:
    """Return a function that removes ``value`` from the URLs of a file that contain it."""

    def without(data: bytes) -> bytes:
        after = _without_url(data.decode(), value).encode()
        before_texts, after_texts = list(texts(parsed(data))), list(texts(parsed(after)))
        if [_without_url(one, value) for one in before_texts] != after_texts:
            raise ValueError(
                "contains the token in a notation that cannot be changed automatically"
            )
        return after

    return without


def _without_url(text: str, value: str) -> str:
    pieces, at = [], 0
    for one in url_credentials(text):
        if one.value == value:
            pieces += [text[at : one.start], one.clean]
            at = one.end
    return "".join((*pieces, text[at:]))


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
    """Yield the root prefixes of the condas and mambas that this shell knows, each once."""
    variables = settings.variables
    named = [
        Path(variables[name]) for name in ("CONDA_ROOT", "MAMBA_ROOT_PREFIX") if name in variables
    ]
    if variables.get("CONDA_EXE"):
        named.append(Path(variables["CONDA_EXE"]).parent.parent)
    here = Path(sys.prefix)
    if isdir(here / "conda-meta"):  # noqa: PTH112  # Path.is_dir raises if it may not be entered
        named.append(here)
    yield from dict.fromkeys(named)


def environments(settings: Settings) -> Iterator[Path]:
    """Yield the prefixes of the environments that conda has registered, and of those in `envs`."""
    registered = settings.home / ".conda" / "environments.txt"
    lines = (foreign_files.read_any(registered) or b"").decode("utf-8", "replace").splitlines()
    yield from (Path(line) for line in lines if line.strip())
    for root in roots(settings):
        yield root
        yield from foreign_files.matching(root / "envs", "*")


def package_caches(settings: Settings) -> Iterator[Path]:
    """Yield the package caches of the condas and mambas that this shell knows."""
    named = settings.variables.get("CONDA_PKGS_DIRS", "")
    yield from (Path(one) for one in named.replace(",", os.pathsep).split(os.pathsep) if one)
    yield settings.home / ".conda" / "pkgs"
    yield from (root / "pkgs" for root in roots(settings))

"""What a reader of others' words is, and what it may do."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Read = Callable[[bytes, Path], object]
    """Of some bytes, in an empty folder that is the process's home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parser:
    """A reader, and what it reads on a good day."""

    read: Read
    samples: tuple[bytes, ...]
    spoilt: tuple[bytes, ...] = ()
    """What once made it fail."""


def told(work: Callable[[], object]) -> object:
    """What ``work`` returns, or the error of ours that it raises; nothing else may come."""
    try:
        return work()
    except TokenPluginError as error:
        fault = error
    assert "\n" not in str(fault)
    return fault


@contextmanager
def written(path: Path, data: bytes) -> Iterator[Path]:
    """A file with this content, and nothing left of it afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def room(home: Path, **more: str) -> Settings:
    """The variables of somebody who lives there."""
    return Settings({"HOME": str(home), "CONDA_TOKEN_STORE": "file", **more})

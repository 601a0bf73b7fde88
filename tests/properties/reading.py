"""Readers of foreign input, and the errors that they may raise."""

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
    """Reads the bytes. The second argument is an empty folder, the home of the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parser:
    """A reader, with examples of valid input."""

    read: Read
    samples: tuple[bytes, ...]
    failed: tuple[bytes, ...] = ()
    """Input that raised another error in an earlier version."""


def checked(work: Callable[[], object], *, hides: str = "\n") -> object:
    """Return the result of ``work``, or the ``TokenPluginError`` that it raises.

    Its message is one line, and does not contain ``hides``.
    """
    try:
        return work()
    except TokenPluginError as error:
        fault = error
    assert "\n" not in str(fault)
    assert hides not in str(fault)
    return fault


@contextmanager
def written(path: Path, data: bytes) -> Iterator[Path]:
    """Write a file with this content, and delete it after the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def settings_of(home: Path, **more: str) -> Settings:
    """Return the settings of a user with the home folder ``home``."""
    return Settings({"HOME": str(home), "CONDA_TOKEN_STORE": "file", **more})

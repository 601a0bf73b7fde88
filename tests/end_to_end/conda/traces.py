"""Looking for secrets where none may be: in what was printed, and in every file of a machine."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.support.machine import Machine, Ran

PIECE = 8
"""Characters of a secret that are too many to be seen."""


def pieces(*secrets: str) -> frozenset[bytes]:
    """Every run of eight characters of ``secrets``, and of what Basic auth makes of them."""
    texts = [secret.encode() for secret in secrets]
    coded = [b64encode(b"x" * shift + text)[4:-4] for text in texts for shift in (0, 1, 2)]
    return frozenset(
        text[at : at + PIECE] for text in (*texts, *coded) for at in range(len(text) - PIECE + 1)
    )


def seen_in(data: bytes, *, among: frozenset[bytes]) -> bool:
    """Whether one of the pieces is in ``data``."""
    return any(piece in data for piece in among)


def printed(runs: Iterable[Ran], *, among: frozenset[bytes]) -> list[str]:
    """The commands that printed a piece."""
    return [" ".join(ran.argv) for ran in runs if seen_in(ran.said.encode(), among=among)]


def written(machine: Machine, *, among: frozenset[bytes]) -> list[Path]:
    """The files of the machine, but for the store's own, that hold a piece."""
    return [path for path in _files(machine) if seen_in(path.read_bytes(), among=among)]


def stored(machine: Machine, *, among: frozenset[bytes]) -> bool:
    """Whether the store itself holds a piece: the proof that the search finds what is there."""
    store = machine.store_folder
    return any(
        seen_in(path.read_bytes(), among=among) for path in store.rglob("*") if path.is_file()
    )


def _files(machine: Machine) -> Iterator[Path]:
    store = machine.store_folder
    return (path for path in machine.files() if store not in path.parents)

"""Search for secrets where none may be: in output, in files, and in anything else of bytes."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox
    from tests.support.machine import Machine, Ran

PIECE = 8
"""The number of characters of a secret that must not be seen in sequence."""


def pieces(*secrets: str) -> frozenset[bytes]:
    """Return every run of eight characters of ``secrets``, also as Basic auth encodes them."""
    texts = [secret.encode() for secret in secrets]
    coded = [b64encode(b"x" * shift + text)[4:-4] for text in texts for shift in (0, 1, 2)]
    return frozenset(
        text[at : at + PIECE] for text in (*texts, *coded) for at in range(len(text) - PIECE + 1)
    )


def seen_in(data: bytes, *, among: frozenset[bytes]) -> bool:
    """Return whether ``data`` contains one of the pieces."""
    return any(piece in data for piece in among)


def printed(runs: Iterable[Ran], *, among: frozenset[bytes]) -> list[str]:
    """Return the commands that printed a piece."""
    return [" ".join(ran.argv) for ran in runs if seen_in(ran.said.encode(), among=among)]


def written(machine: Machine, *, among: frozenset[bytes]) -> list[Path]:
    """Return the files of the machine, except those of the store, that contain a piece."""
    return [path for path in _files(machine) if seen_in(path.read_bytes(), among=among)]


def stored(machine: Machine, *, among: frozenset[bytes]) -> bool:
    """Return whether the store contains a piece, which proves that the search finds one."""
    store = machine.store_folder
    return any(
        seen_in(path.read_bytes(), among=among) for path in store.rglob("*") if path.is_file()
    )


def secrets_of(sandbox: Sandbox) -> dict[str, str]:
    """Return every token and bearer value that the sandbox has ever made, by a name for reports."""
    world = sandbox.world
    made = world.credentials
    bearers = {
        "API key": made.api_keys,
        "access token": made.access_tokens,
        "service account": made.service_accounts,
    }
    secrets = {f"{one.org}'s {one.kind.value} token {one.id}": one.value for one in world.tokens}
    clients = dict(made.clients).values()
    secrets |= {f"client secret of {one.user}": one.client_secret for one in clients}
    return secrets | {
        f"{kind} {number} of {known.user}": value
        for kind, kept in bearers.items()
        for number, (value, known) in enumerate(dict(kept).items())
    }


class Sought:
    """The pieces of secrets, each with the name of its secret."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """Take the secrets by the names that a report shows in their place."""
        self._names = {piece: name for name, value in secrets.items() for piece in pieces(value)}

    def found_in(self, data: bytes) -> frozenset[str]:
        """Return the names of the secrets of which ``data`` contains a piece."""
        windows = {data[at : at + PIECE] for at in range(len(data) - PIECE + 1)}
        return frozenset(self._names[piece] for piece in windows & self._names.keys())


def _files(machine: Machine) -> Iterator[Path]:
    store = machine.store_folder
    return (path for path in machine.files() if store not in path.parents)

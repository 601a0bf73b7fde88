"""Every secret that a sandbox knows, in pieces of eight bytes, and where such a piece turns up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.end_to_end.conda.traces import PIECE, pieces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.sandbox import Sandbox


def secrets_of(sandbox: Sandbox) -> dict[str, str]:
    """Every token and bearer value that was ever made there, by what to call it."""
    world = sandbox.world
    made = world.credentials
    bearers = {
        "API key": made.api_keys,
        "access token": made.access_tokens,
        "service account": made.service_accounts,
    }
    tokens = {f"{one.org}'s {one.kind.value} token {one.id}": one.value for one in world.tokens}
    return tokens | {
        f"{kind} {number} of {known.user}": value
        for kind, kept in bearers.items()
        for number, (value, known) in enumerate(dict(kept).items())
    }


class Sought:
    """The pieces that are looked for."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """``secrets`` by what to call them in a report, which never shows one."""
        self._whose = {piece: name for name, value in secrets.items() for piece in pieces(value)}

    def found_in(self, data: bytes) -> frozenset[str]:
        """What to call the secrets of which ``data`` holds a piece."""
        windows = {data[at : at + PIECE] for at in range(len(data) - PIECE + 1)}
        return frozenset(self._whose[piece] for piece in windows & self._whose.keys())

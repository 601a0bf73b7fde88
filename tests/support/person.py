"""A user who runs the plugin's commands and other clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.machine import Machine, Ran


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a machine, who types our commands and those of other tools."""

    machine: Machine

    @property
    def home(self) -> Path:
        return self.machine.home

    def types(self, *words: str, **variables: str) -> Ran:
        """``conda-token-plugin …`` in a process of its own, with no way to conda."""
        code = (
            "import sys; sys.modules['conda'] = None\n"
            "from conda_token_plugin.cli import script\n"
            "raise SystemExit(script())"
        )
        return self.machine.python("-c", code, *words, **variables)

    def has(self, organization: str) -> str:
        """Issue a token; return it."""
        world = self.machine.sandbox.world
        key = world.api_key("ada")
        words = ("install", "--org", organization, "--yes")
        self.types(*words, ANACONDA_AUTH_API_KEY=key).well()
        self.machine.sandbox.requests.clear()
        token = world.current(organization, "ada")
        assert token is not None
        return token.value

    def forgets_us(self) -> dict[str, str]:
        """Variables for a run that finds nothing of ours but the exports; the drop-in is gone."""
        self.machine.dropin.unlink(missing_ok=True)
        return {"CONDA_TOKEN_HOME": str(self.machine.folder / "nothing")}

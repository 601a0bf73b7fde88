"""The former name of a user at a computer; see `tests.support.machine`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.machine import Machine, Ran


@dataclass(frozen=True, slots=True)
class Person:
    """A machine, and its methods by their former names."""

    machine: Machine

    @property
    def home(self) -> Path:
        """Return the home folder."""
        return self.machine.home

    def types(self, *words: str, **variables: str) -> Ran:
        """Run ``Machine.plugin``."""
        return self.machine.plugin(*words, **variables)

    def has(self, organization: str) -> str:
        """Run ``Machine.install`` without conda."""
        return self.machine.install(organization, with_conda=False)

"""Docker: print what to write into a Dockerfile. No secret is written anywhere.

BuildKit mounts a secret as a file below ``/run/secrets`` for one ``RUN`` only. It is in no layer
and in no history (https://docs.docker.com/build/building/secrets/). The plugin finds it there:
``/run/secrets/anaconda_repo_token_<org>``.
"""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from conda_token_plugin.integrations.dotenv import ANY
from conda_token_plugin.settings import token_variable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.tokens.token import Token

NAME = "docker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The lines for the variables ``names`` of ``organizations``."""

    names: tuple[str, ...]
    organizations: tuple[str, ...]

    @property
    def mounts(self) -> tuple[str, ...]:
        """Return the options of ``RUN`` in the Dockerfile."""
        return tuple(f"--mount=type=secret,id={name.lower()}" for name in self.names)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the options of ``docker build``."""
        return tuple(f"--secret id={name.lower()},env={name}" for name in self.names)

    @property
    def text(self) -> str:
        """Return the text to copy."""
        chosen = " ".join(f"--org {quote(name)}" for name in self.organizations)
        return "\n".join(
            (
                "# In the Dockerfile (the secret exists only during this RUN):",
                f"RUN {' '.join(self.mounts)} \\",
                "    conda install --yes PACKAGE",
                "",
                "# To build it:",
                f"conda-token-plugin run {chosen} -- docker build {' '.join(self.secrets)} .",
            )
        )

    def as_json(self) -> dict[str, list[str]]:
        """Return the form for ``--json``."""
        return {"mounts": list(self.mounts), "secrets": list(self.secrets)}


def recipe(tokens: Iterable[Token]) -> Recipe:
    """Return the lines for ``tokens``; ``conda token run`` sets their variables."""
    owners = tuple(dict.fromkeys(one.organization for one in tokens))
    return Recipe(
        names=tuple(token_variable("" if owner == ANY else owner) for owner in owners),
        organizations=tuple(owner for owner in owners if owner != ANY),
    )

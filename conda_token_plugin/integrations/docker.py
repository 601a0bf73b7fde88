"""Docker: print the lines of a Dockerfile that use a token. No secret is written.

BuildKit mounts a secret as a file below ``/run/secrets`` for one ``RUN`` only, so that no layer and
no history contains it (https://docs.docker.com/build/building/secrets/). The plugin reads the file
``/run/secrets/anaconda_repo_token_<org>``.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.integrations.dotenv import ANY
from conda_token_plugin.settings import token_variable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.tokens.token import Token

NAME = "docker"


class Recipe(NamedTuple):
    """What to write into a Dockerfile, and how to build it."""

    mounts: tuple[str, ...]
    """The options of ``RUN`` in the Dockerfile."""
    secrets: tuple[str, ...]
    """The options of ``docker build``."""
    text: str
    """The text to copy."""


def recipe(tokens: Iterable[Token]) -> Recipe:
    """Return the lines for ``tokens``; ``conda token run`` sets their variables."""
    owners = dict.fromkeys(one.organization for one in tokens)
    names = [token_variable("" if owner == ANY else owner) for owner in owners]
    mounts = tuple(f"--mount=type=secret,id={name.lower()}" for name in names)
    secrets = tuple(f"--secret id={name.lower()},env={name}" for name in names)
    chosen = " ".join(f"--org {quote(owner)}" for owner in owners if owner != ANY)
    lines = (
        "# In the Dockerfile (the secret exists only during this RUN):",
        f"RUN {' '.join(mounts)} \\",
        "    conda install --yes PACKAGE",
        "",
        "# To build it:",
        f"conda-token-plugin run {chosen} -- docker build {' '.join(secrets)} .",
    )
    return Recipe(mounts, secrets, "\n".join(lines))

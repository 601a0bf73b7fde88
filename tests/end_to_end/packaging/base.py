"""A base environment with a conda of its own, as a user has after installing conda."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.conda_version import solver_missing

if TYPE_CHECKING:
    from pathlib import Path

DROPIN = "condarc.d/00-conda-token-plugin.yml"
LONGEST_RUN = 300
"""Seconds after which a command is ended and its test fails."""


@dataclass(frozen=True, slots=True)
class Base:
    """A prefix, and the home folder of its user."""

    prefix: Path
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def dropin(self) -> Path:
        """Return the path of the drop-in that the package installs."""
        return self.prefix / DROPIN

    def conda(self, *words: str | Path, **variables: str) -> str:
        """Run the conda of this base and return its output. It must succeed."""
        code, said = self.tried("conda", *words, **variables)
        assert code == 0, f"conda {' '.join(map(str, words))}: {code}\n{said}"
        return said

    def tried(self, script: str, *words: str | Path, **variables: str) -> tuple[int, str]:
        """Run a script of this base; return its exit code and its output."""
        done = subprocess.run(
            [str(self.prefix / "bin" / script), *map(str, words)],
            env={
                "PATH": f"{self.prefix / 'bin'}{os.pathsep}{os.defpath}",
                "HOME": str(self.home),
                "LANG": "C.UTF-8",
                "CONDA_PKGS_DIRS": str(self.prefix.parent / "pkgs"),
                "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
                **self.variables,
                **variables,
            },
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LONGEST_RUN,
        )
        return done.returncode, done.stdout

    def content(self) -> dict[str, str]:
        """Return the digests of all files of prefix and home, except conda's journal and caches."""
        files = [p for top in (self.prefix, self.home) for p in top.rglob("*") if p.is_file()]
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if path.name not in {"history", "environments.txt"} and ".cache" not in path.parts
        }


def solver() -> str:
    """Return the name of a solver that works with this conda."""
    return "classic" if solver_missing("rattler") else "rattler"

"""A person's machine: a home, a package cache, and a real conda to type commands into."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox

LONGEST_RUN = 120
"""Seconds after which a command is taken to hang."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of a command."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything that was printed."""
        return self.out + self.err

    @property
    def json(self) -> Any:
        """The document on stdout."""
        return json.loads(self.out)

    def well(self) -> Ran:
        """This, after a look at the exit code."""
        assert self.code == 0, f"{' '.join(self.argv)}: {self.code}\n{self.said}"
        return self

    def badly(self) -> Ran:
        """This, after a look at the exit code."""
        assert self.code != 0, f"{' '.join(self.argv)}: it went well\n{self.said}"
        return self


@dataclass(frozen=True, slots=True)
class Machine:
    """A home folder and what is set in its shell; nothing is shared with another machine."""

    folder: Path
    sandbox: Sandbox
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Furnish it: a home, and settings that keep conda from the world outside."""
        self.home.mkdir(parents=True)
        self.variables.update(
            PATH=os.defpath,
            HOME=str(self.home),
            USERPROFILE=str(self.home),
            LANG="C.UTF-8",
            PYTHONWARNINGS="ignore::FutureWarning",
            PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
            CONDA_SOLVER="classic",
            CONDA_PKGS_DIRS=str(self.packages),
            CONDA_REPORT_ERRORS="false",
            CONDA_REMOTE_MAX_RETRIES="0",
            CONDA_TOKEN_STORE="file",
            CONDA_TOKEN_HOME=str(self.store_folder),
            CONDA_TOKEN_SERVICE_URL=self.sandbox.service,
            CONDA_TOKEN_REPO_URL=self.sandbox.repo,
        )

    @property
    def home(self) -> Path:
        """What ``~`` is."""
        return self.folder / "home"

    @property
    def packages(self) -> Path:
        """conda's package cache."""
        return self.folder / "pkgs"

    @property
    def prefix(self) -> Path:
        """Where environments are made in these tests."""
        return self.folder / "env"

    @property
    def settings(self) -> Settings:
        """The plugin's view of the machine's variables."""
        return Settings(self.variables)

    @property
    def store_folder(self) -> Path:
        """Where the plugin keeps tokens on this machine."""
        return self.folder / "store"

    @property
    def dropin(self) -> Path:
        """The file that the plugin owns."""
        return self.home / ".conda" / "condarc.d" / "conda-token-plugin.yml"

    def conda(self, *argv: str, stdin: str = "", **variables: str) -> Ran:
        """Run ``conda argv``, with ``variables`` set for this once."""
        return self.python("-m", "conda", *argv, stdin=stdin, **variables)

    def create(self, *argv: str, **variables: str) -> Ran:
        """Run ``conda create`` for ``prefix``, without asking."""
        return self.conda("create", "-y", "-q", "-p", str(self.prefix), *argv, **variables)

    def python(self, *argv: str, stdin: str = "", **variables: str) -> Ran:
        """Run this interpreter, whose packages include conda and the plugin."""
        done = subprocess.run(
            [sys.executable, *argv],
            env=self.variables | variables,
            input=stdin,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_RUN,
        )
        return Ran(argv=argv, code=done.returncode, out=done.stdout, err=done.stderr)

    def install(self, organization: str, *argv: str, user: str = "ada") -> str:
        """Run ``conda token install`` as ``user``; return the token, and forget the requests."""
        key = self.sandbox.world.api_key(user)
        self.conda(
            *("token", "install", "--reissue", "--org", organization, *argv),
            ANACONDA_AUTH_API_KEY=key,
        ).well()
        self.sandbox.requests.clear()
        token = self.sandbox.world.current(organization, user)
        assert token is not None
        return token.value

    def condarc(self, text: str) -> None:
        """Write the user's own ``~/.condarc``."""
        (self.home / ".condarc").write_text(text, "utf-8")

    def installed(self) -> set[str]:
        """The names of the packages in ``prefix``."""
        records = (self.prefix / "conda-meta").glob("*.json")
        return {json.loads(path.read_text("utf-8"))["name"] for path in records}

    def forget(self) -> None:
        """Throw away the environment and the package cache, with the indexes in it."""
        from shutil import rmtree

        for folder in (self.prefix, self.packages, self.home / ".cache"):
            rmtree(folder, ignore_errors=True)

    def files(self) -> Iterator[Path]:
        """Every file of the machine."""
        for folder, _, names in os.walk(self.folder):
            yield from (type(self.folder)(folder, name) for name in names)

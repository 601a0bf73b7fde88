"""A user at a computer: a home folder, variables, and the commands that the user runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from conda_token_plugin.settings import Settings
from tests.support.json_documents import validate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox

WITHOUT_CONDA = """
import sys
sys.modules["conda"] = None
from conda_token_plugin.cli import script
raise SystemExit(script())
"""
WITH_RATTLER = """
import atexit, runpy, time
atexit.register(time.sleep, 0.1)
runpy.run_module("conda", run_name="__main__", alter_sys=True)
"""
"""Runs conda with the rattler solver. Python can crash (SIGSEGV) if it ends while threads of
py-rattler still release Python objects, so the process waits for them at its end."""
LONGEST_RUN = 120
"""Seconds after which a command is ended and its test fails."""


def running_conda(solver: str) -> tuple[str, ...]:
    """Return the arguments of Python that run conda with ``solver``."""
    return ("-c", WITH_RATTLER) if solver == "rattler" else ("-m", "conda")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A command that has ended: its exit code and its output."""

    argv: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Return all output."""
        return self.out + self.err

    @property
    def json(self) -> Any:
        """Return the JSON document on stdout."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """Return the only `error:` line, followed by the text of its `hint:` line if it has one."""
        lines = self.err.splitlines()
        errors = [number for number, line in enumerate(lines) if line.startswith("error: ")]
        assert len(errors) == 1, self.err
        assert "Traceback" not in self.err
        hint = [line[7:] for line in lines[errors[0] + 1 :][:1] if line.startswith("hint:  ")]
        return " ".join([lines[errors[0]], *hint])

    def failed(self, code: int, *words: str) -> Ran:
        """Assert that the command ended with ``code``, and that its error contains ``words``."""
        assert self.code == code, f"{' '.join(self.argv)}: {self.code}\n{self.said}"
        assert [word for word in words if word not in self.line] == []
        return self

    def well(self) -> Ran:
        """Assert that the command succeeded."""
        assert self.code == 0, f"{' '.join(self.argv)}: {self.code}\n{self.said}"
        return self

    def badly(self) -> Ran:
        """Assert that the command failed."""
        assert self.code != 0, f"{' '.join(self.argv)}: it succeeded\n{self.said}"
        return self


@dataclass(frozen=True, slots=True)
class Machine:
    """A home folder and the variables of a shell. Two machines share nothing."""

    folder: Path
    sandbox: Sandbox
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the home folder, and set what keeps conda on this computer."""
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
            CONDA_TOKEN_SYSTEM_HOME=str(self.folder / "system" / "store"),
            CONDA_TOKEN_SYSTEM_CONDARC=str(self.folder / "system" / "condarc.yml"),
            CONDA_TOKEN_SERVICE_URL=self.sandbox.service,
            CONDA_TOKEN_REPO_URL=self.sandbox.repo,
        )

    @property
    def home(self) -> Path:
        """Return the home folder."""
        return self.folder / "home"

    @property
    def packages(self) -> Path:
        """Return conda's package cache."""
        return self.folder / "pkgs"

    @property
    def prefix(self) -> Path:
        """Return the folder of the one environment."""
        return self.folder / "env"

    @property
    def settings(self) -> Settings:
        """Return the settings that the plugin reads from the variables."""
        return Settings(self.variables)

    @property
    def store_folder(self) -> Path:
        """Return the folder of the plugin's store."""
        return self.folder / "store"

    @property
    def dropin(self) -> Path:
        """Return the file that the plugin writes for conda."""
        return self.home / ".conda" / "condarc.d" / "conda-token-plugin.yml"

    def conda(self, *argv: str, stdin: str = "", **variables: str) -> Ran:
        """Run ``conda`` with these arguments and additional variables."""
        solver = (self.variables | variables)["CONDA_SOLVER"]
        ran = self.python(*running_conda(solver), *argv, stdin=stdin, **variables)
        if argv[:1] == ("token",):
            validate(argv[1:], out=ran.out)
        return ran

    def create(self, *argv: str, **variables: str) -> Ran:
        """Run ``conda create`` for ``prefix`` without a question."""
        return self.conda("create", "-y", "-q", "-p", str(self.prefix), *argv, **variables)

    def only(self, *channels: str) -> tuple[str, ...]:
        """Return options of conda for these channels and no other: URLs, or ``acme/main``."""
        urls = [one if "://" in one else self.sandbox.url_of(one) for one in channels]
        return ("--override-channels", *(word for url in urls for word in ("-c", url)))

    def python(self, *argv: str, stdin: str = "", **variables: str) -> Ran:
        """Run this interpreter, which can import conda and the plugin."""
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

    def plugin(self, *words: str, **variables: str) -> Ran:
        """Run ``conda-token-plugin`` in a process that cannot import conda."""
        ran = self.python("-c", WITHOUT_CONDA, *words, **variables)
        validate(words, out=ran.out)
        return ran

    def install(
        self, organization: str, *argv: str, user: str = "ada", with_conda: bool = True
    ) -> str:
        """Run ``conda token install``, clear the record of the sandbox, and return the token.

        Args:
            organization: The organization.
            argv: More arguments.
            user: The user whose API key is used.
            with_conda: Run ``conda token``, else ``conda-token-plugin`` without conda.
        """
        key = self.sandbox.world.api_key(user)
        words = ("install", "--reissue", "--org", organization, *argv)
        run = partial(self.conda, "token") if with_conda else self.plugin
        run(*words, ANACONDA_AUTH_API_KEY=key).well()
        self.sandbox.requests.clear()
        token = self.sandbox.world.current(organization, user)
        assert token is not None
        return token.value

    def condarc(self, text: str) -> None:
        """Write ``~/.condarc``."""
        (self.home / ".condarc").write_text(text, "utf-8")

    def installed(self) -> set[str]:
        """Return the names of the packages in ``prefix``."""
        records = (self.prefix / "conda-meta").glob("*.json")
        return {json.loads(path.read_text("utf-8"))["name"] for path in records}

    def forget(self) -> None:
        """Delete the environment, the package cache and the index caches."""
        for folder in (self.prefix, self.packages, self.home / ".cache"):
            rmtree(folder, ignore_errors=True)

    def without_plugin(self) -> dict[str, str]:
        """Delete the drop-in; return variables with which the plugin finds no token."""
        self.dropin.unlink(missing_ok=True)
        return {"CONDA_TOKEN_HOME": str(self.folder / "nothing")}

    def files(self) -> Iterator[Path]:
        """Iterate over all files below the folder of the machine."""
        for folder, _, names in os.walk(self.folder):
            yield from (type(self.folder)(folder, name) for name in names)

"""The demo: a temporary home, a sandbox in a process of its own, and the commands to run."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from conda_token_plugin.errors.outcome import CheckFailed
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOLVERS = {"conda_libmamba_solver": "libmamba", "conda_rattler_solver": "rattler"}
STOP_TIMEOUT = 60.0
"""Seconds that the sandbox may take to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A temporary home, the addresses of the sandbox, and the variables of the commands."""

    home: Path
    repo: str
    organizations: tuple[str, ...]
    variables: Mapping[str, str]

    def run(self, command: list[str], *, on_terminal: bool) -> tuple[int, str]:
        """Run `command` in the temporary home; return its exit code and its output.

        Args:
            command: The program and its arguments.
            on_terminal: Whether it writes to the terminal itself. The returned output is empty.
        """
        done = subprocess.run(  # noqa: S603  # only the commands of the demo
            command,
            env=dict(self.variables),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=None if on_terminal else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        return done.returncode, done.stdout or ""


@contextmanager
def stage() -> Iterator[Stage]:
    """Yield a temporary home with a running sandbox; remove both afterwards.

    Raises:
        CheckFailed: The sandbox does not start. It has printed the reason.
    """
    with TemporaryDirectory(prefix="conda-token-demo-") as folder, _sandbox() as introduction:
        home = Path(folder)
        yield Stage(
            home=home,
            repo=introduction["repo"],
            organizations=tuple(introduction["organizations"]),
            variables=sealed(
                Settings().variables,
                home=home,
                CONDA_TOKEN_SERVICE_URL=introduction["service"],
                CONDA_TOKEN_REPO_URL=introduction["repo"],
                ANACONDA_AUTH_API_KEY=introduction["api_key"],
                CONDA_TOKEN_STORE="file",  # noqa: S106  # a word, not a password
                CONDA_PKGS_DIRS=str(home / "pkgs"),
                NO_PROXY="127.0.0.1,localhost",
            ),
        )


def sealed(variables: Mapping[str, str], *, home: Path, **more: str) -> dict[str, str]:
    """Return the variables of a child process with the home ``home``.

    Those that configure conda, this plugin, or other clients are left out.
    """
    foreign = ("CONDA", "ANACONDA", "XDG_", "RATTLER_", "DBUS_SESSION")
    kept = {n: v for n, v in variables.items() if not n.upper().startswith(foreign)}
    return {**kept, "HOME": str(home), "USERPROFILE": str(home), **more}


@contextmanager
def _sandbox() -> Iterator[dict[str, str]]:
    command = [sys.executable, "-m", "conda_token_plugin.sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:  # noqa: S603  # a module of this package
        line = process.stdout.readline() if process.stdout else ""
        try:
            if not line:
                raise CheckFailed("The sandbox did not start.")
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(timeout=STOP_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Act:
    """A command of the demo: what a user would type, and what is run."""

    shown: str
    command: list[str]


def acts(stage: Stage) -> Iterator[Act]:
    """Yield the commands: issue, list, install a package with the available client, remove."""
    organization = stage.organizations[0]
    channel = f"{stage.repo}{organization}/main"
    package = f"{organization}-tools"
    yield _token("install", "--org", organization, "--yes")
    yield _token("list")
    yield _token("which", channel)
    yield from _conda(channel, package) if find_spec("conda") else _rattler(channel, package)
    yield Act(f"env/bin/{package}", [str(stage.home / "env" / "bin" / package)])
    yield _token("remove", organization)


def _token(*arguments: str) -> Act:
    shown = "conda token" if find_spec("conda") else "conda-token-plugin"
    module = ["conda", "token"] if find_spec("conda") else ["conda_token_plugin"]
    return Act(" ".join([shown, *arguments]), [sys.executable, "-m", *module, *arguments])


def _conda(channel: str, package: str) -> Iterator[Act]:
    words = ["create", "--prefix", "./env", "--override-channels", "-c", channel, package]
    quiet = ["--yes", "--quiet", "--solver", _solver()]
    yield Act(" ".join(["conda", *words]), [sys.executable, "-m", "conda", *words, *quiet])


def _rattler(channel: str, package: str) -> Iterator[Act]:
    yield _token("export", "rattler")
    words = ["conda_token_plugin.sandbox.rattler_client", channel, package, "env"]
    yield Act(f"py-rattler: install {package} from {channel}", [sys.executable, "-m", *words])


def _solver() -> str:
    """Return a solver that is installed, because the default one may not be."""
    return next((name for module, name in SOLVERS.items() if find_spec(module)), "classic")

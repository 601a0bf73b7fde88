"""Runs the shell lines of a recipe on this machine, against the sandbox."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.machine import Machine

HERE = Path(__file__).parent
REPOSITORY = "https://repo.anaconda.cloud/repo/"
PUT_THERE = re.compile(r"(?:conda install --yes --name base|pipx install) conda-token-plugin")
"""The one line that needs the world outside: here the plugin is installed already."""


def document(name: str) -> Any:
    """A recipe's YAML."""
    return YAML(typ="safe").load((HERE / name).read_text("utf-8"))


def commented(name: str) -> list[str]:
    """The commands in a recipe's comments: what is typed once, by hand."""
    lines = (HERE / name).read_text("utf-8").splitlines()
    return [line[4:] for line in lines if line.startswith("#   ")]


def docker_runs() -> Iterator[tuple[list[str], str]]:
    """The options and the command of every ``RUN`` of the Dockerfile."""
    text = (HERE / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.startswith("RUN "):
            words = line.split()[1:]
            options = [word for word in words if word.startswith("--mount")]
            yield options, " ".join(words[len(options) :])


@dataclass(frozen=True, slots=True)
class Runner:
    """A machine that plays the runner, the image or the pod."""

    machine: Machine

    def prepare(self) -> None:
        """What the package brings: programs on the PATH, and the drop-in beside conda."""
        self.write("conda", f'exec {sys.executable} -m conda "$@"')
        self.write("conda-token-plugin", f'exec {sys.executable} -m conda_token_plugin "$@"')
        source = HERE.parents[2] / "recipe" / "condarc.d" / "00-conda-token-plugin.yml"
        text = source.read_text("utf-8").replace(REPOSITORY, self.machine.sandbox.repo)
        self.machine.dropin.parent.mkdir(parents=True, exist_ok=True)
        self.machine.dropin.with_name(source.name).write_text(text, "utf-8")

    def write(self, name: str, body: str) -> Path:
        """A program of this machine."""
        path = self.machine.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    def shell(
        self, script: str, *, variables: Mapping[str, str], secrets: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``script`` as a CI's shell does; ``secrets`` lie below ``/run/secrets``."""
        script = script.replace(REPOSITORY, self.machine.sandbox.repo)
        command = ["bash", "-e", "-o", "pipefail", "-c", script]
        if secrets is not None:
            command = [*self._mounted(secrets), *command]
        return subprocess.run(
            command,
            env=self._variables(variables),
            cwd=self.machine.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def _variables(self, more: Mapping[str, str]) -> dict[str, str]:
        path = f"{self.machine.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin"
        envs = {"CONDA_ENVS_DIRS": str(self.machine.folder / "envs")}
        return {**self.machine.variables, **envs, "PATH": path, **more}

    def _mounted(self, secrets: Mapping[str, str]) -> list[str]:
        """A ``/run`` of its own, that only the command sees."""
        folder = self.machine.folder / "secrets"
        folder.mkdir()
        for name, value in secrets.items():
            (folder / name).write_text(value)
        mount = f'mount -t tmpfs none /run && cp -r {folder} /run/secrets && exec "$@"'
        return ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "-"]

    def installed(self) -> bool:
        """Whether the recipe's package is in the recipe's environment."""
        return (self.machine.folder / "envs" / "app" / "share" / "acme-tools.txt").exists()


def can_mount() -> bool:
    """Whether this machine lets us have a ``/run`` of our own."""
    if shutil.which("unshare") is None:
        return False
    words = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/run"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0

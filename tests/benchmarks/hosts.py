"""Find the conda on PATH, and make virtual environments over its packages, one for each plugin.

``--system-site-packages`` does not find a conda that is installed in a virtual environment,
so a ``.pth`` file names the folder of its packages, as ``.ci/run`` does.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
OURS, BARE, FLOOR = "conda-token-plugin", "bare conda", "the floor"
PEERS = ("anaconda-auth", "conda-auth")
RATTLER = "py-rattler"
_FACTS = """
import conda, json, pathlib, platform
print(json.dumps([conda.__version__, platform.python_version(),
                  str(pathlib.Path(conda.__file__).parents[1])]))
"""
_REQUIREMENTS = """
import importlib.metadata as m, json
print(json.dumps([r for r in m.requires("conda-token-plugin") if ";" not in r]))
"""


class Unmeasurable(Exception):  # as the plugin's own errors
    """Something that a measurement needs is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A conda: its interpreter, and the folder of its packages."""

    python: Path
    packages: str
    version: str
    python_version: str

    @classmethod
    def on_path(cls) -> Host:
        """Return the conda that ``conda`` starts.

        Raises:
            Unmeasurable: No conda is on PATH.
        """
        conda = shutil.which("conda")
        if conda is None:
            raise Unmeasurable("No conda is on PATH: put the one to be measured there.")
        base = output([conda, "info", "--base"])
        python = Path(base, "python.exe" if sys.platform == "win32" else "bin/python")
        version, python_version, packages = json.loads(output([str(python), "-c", _FACTS]))
        return cls(python=python, packages=packages, version=version, python_version=python_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One environment that is measured."""

    name: str
    folder: Path
    version: str = ""

    @property
    def programs(self) -> Path:
        """The folder of its commands."""
        return self.folder / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.programs / "python")

    def conda(self, *argv: str) -> list[str]:
        """Return the command ``conda argv`` of this environment."""
        return [self.python, "-m", "conda", *argv]


def layered(name: str, *requirements: str, host: Host, under: Path) -> Subject:
    """Make an environment called ``name`` over the packages of ``host``.

    Raises:
        Unmeasurable: A requirement cannot be installed.
    """
    folder = under / name.replace(" ", "-")
    # Without pip and setuptools, because the import hook of setuptools slows every import.
    output([str(host.python), "-m", "venv", "--without-pip", str(folder)])
    subject = Subject(name=name, folder=folder)
    (packages_of(subject) / "conda-host.pth").write_text(f"{host.packages}\n", "utf-8")
    (folder / "conda-meta").mkdir()
    (folder / "conda-meta" / "history").touch()
    if requirements:
        pip = [str(host.python), "-m", "pip", "--python", subject.python]
        output([*pip, "install", "-q", "--disable-pip-version-check", *requirements])
    return Subject(name=name, folder=folder, version=_version(subject))


def own_subjects(host: Host, *, under: Path) -> tuple[Subject, Subject]:
    """Return bare conda, and conda with the plugin."""
    bare = layered(BARE, host=host, under=under)
    return bare, layered(OURS, str(REPOSITORY), host=host, under=under)


def requirements_of(ours: Subject) -> list[str]:
    """Return the requirements of the plugin."""
    needed: list[str] = json.loads(output([ours.python, "-c", _REQUIREMENTS]))
    return needed


def packages_of(subject: Subject) -> Path:
    """Return the folder of the packages of an environment."""
    return Path(output([subject.python, "-c", "import site; print(site.getsitepackages()[0])"]))


def _version(subject: Subject) -> str:
    script = f"import importlib.metadata as m; print(m.version({subject.name!r}))"
    try:
        return output([subject.python, "-c", script])
    except Unmeasurable:  # bare conda and the floor are no distribution
        return ""


def output(command: list[str]) -> str:
    """Return what ``command`` prints.

    Raises:
        Unmeasurable: The command failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
        program = Path(command[0]).name
        raise Unmeasurable(f"`{' '.join([program, *command[1:3]])} …` failed: {last}")
    return done.stdout.strip()

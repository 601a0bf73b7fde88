"""Packages and environments that are built once, without variables of the user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli.demo_stage import sealed
from tests.support.machine import running_conda

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.end_to_end.packaging.base import Base
    from tests.end_to_end.packaging.channel import Channel

ROOT = Path(__file__).parents[3]
MADE = "1767225600"
"""SOURCE_DATE_EPOCH: 2026-01-01, in seconds."""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return a function that runs a command in a temporary home. The command must succeed."""
    home = tmp_path_factory.mktemp("home")
    variables_of_home = sealed(os.environ, home=home, SOURCE_DATE_EPOCH=MADE)

    def run(*command: str | Path, cwd: Path = home, **variables: str) -> str:
        done = subprocess.run(
            [str(word) for word in command],
            env=variables_of_home | variables,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        said = f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode == 0, said
        return done.stdout

    return run


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository, so that all builds are of the same state."""
    copy = tmp_path_factory.mktemp("source") / "source"
    ignored = shutil.ignore_patterns(".git", ".*_cache", ".hypothesis", ".venv")
    return Path(shutil.copytree(ROOT, copy, ignore=ignored))


@pytest.fixture(scope="session")
def build(run: Callable[..., str], source: Path) -> Callable[[str, Path], Path]:
    """Return a function that builds a ``wheel`` or an ``sdist`` offline, with hatchling."""

    def build(kind: str, folder: Path) -> Path:
        run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, cwd=source)
        (built,) = folder.iterdir()
        return built

    return build


@pytest.fixture(scope="session")
def wheel(build: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel."""
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(build: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source distribution."""
    return build("sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Channel:
    """Return a channel with a Python, this conda, and what the plugin needs."""
    from tests.end_to_end.packaging.channel import made

    return made(tmp_path_factory.mktemp("channel"))


@pytest.fixture(scope="session")
def package(wheel: Path, run: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel as a conda package, made by whl2conda with the settings in pyproject.toml.

    It differs from build to build, because whl2conda writes the time into ``index.json``.
    """
    folder = tmp_path_factory.mktemp("package")
    command = (sys.executable, "-m", "whl2conda", "convert", wheel, "--root", ROOT)
    run(*command, "--out-dir", folder)
    (converted,) = folder.glob("*.conda")
    return converted


@pytest.fixture(scope="session")
def base(
    run: Callable[..., str], channel: Channel, tmp_path_factory: pytest.TempPathFactory
) -> Base:
    """Return a base environment with Python, conda, a solver, and what the plugin needs."""
    from tests.end_to_end.packaging.base import Base, solver
    from tests.end_to_end.packaging.channel import HOST, SOLVER, dependencies

    folder = tmp_path_factory.mktemp("machine")
    (folder / "home").mkdir()
    wanted = [*HOST, *dependencies(), *([SOLVER] if solver() == "rattler" else [])]
    words = (
        "create",
        "-y",
        "-q",
        "-p",
        folder / "prefix",
        "--override-channels",
        "-c",
        channel.url,
    )
    settings = {"CONDA_SOLVER": solver(), "CONDA_CHANNELS": channel.url}
    settings |= {"CONDA_ADD_PIP_AS_PYTHON_DEPENDENCY": "false"}
    packages = str(folder / "pkgs")
    conda = (sys.executable, *running_conda(solver()))
    run(*conda, *words, *wanted, CONDA_PKGS_DIRS=packages, **settings)
    return Base(folder / "prefix", folder / "home", settings)


@pytest.fixture
def plugged(base: Base, package: Path) -> Iterator[Base]:
    """Yield the base with the plugin installed from its file; remove it after the test."""
    base.conda("install", "-y", "-q", "--offline", "-p", base.prefix, package)
    yield base
    if (base.dropin).exists():
        base.conda("remove", "-y", "-q", "--offline", "-p", base.prefix, "conda-token-plugin")

"""What is built once for all tests here, with nothing of this session's environment in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli.demo_stage import sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.end_to_end.packaging.base import Base
    from tests.end_to_end.packaging.channel import Channel

ROOT = Path(__file__).parents[3]
MADE = "1767225600"
"""SOURCE_DATE_EPOCH: 2026-01-01, in seconds."""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run a command in a throw-away home and return what it printed; it has to succeed."""
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
    """The repository as it is now, so that all builds are of one state of it."""
    copy = tmp_path_factory.mktemp("source") / "source"
    ignored = shutil.ignore_patterns(".git", ".*_cache", ".hypothesis", ".venv")
    return Path(shutil.copytree(ROOT, copy, ignore=ignored))


@pytest.fixture(scope="session")
def build(run: Callable[..., str], source: Path) -> Callable[[str, Path], Path]:
    """Build a ``wheel`` or an ``sdist`` into a folder, with the backend itself: offline."""

    def build(kind: str, folder: Path) -> Path:
        run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", folder, cwd=source)
        (built,) = folder.iterdir()
        return built

    return build


@pytest.fixture(scope="session")
def wheel(build: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(build: Callable[[str, Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    return build("sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Channel:
    """A channel with a python, this conda, what builds the plugin and what it needs."""
    from tests.end_to_end.packaging.channel import made

    return made(tmp_path_factory.mktemp("channel"))


@pytest.fixture(scope="session")
def package(wheel: Path, run: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as a conda package, made by whl2conda, with the settings in pyproject.toml.

    whl2conda and py-rattler-build (``assemble_package``) were both tried. The latter packs folders:
    it knows nothing of wheels, writes no ``link.json``, so entry points and dependencies would be
    ours to translate, and is 80 MB. whl2conda does all of it, in 1 MB. Neither gives the same bytes
    twice: they put the time into ``index.json``.
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
    """A base environment: python, conda, a solver, what builds the plugin, what it depends on."""
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
    run(sys.executable, "-m", "conda", *words, *wanted, CONDA_PKGS_DIRS=packages, **settings)
    return Base(folder / "prefix", folder / "home", settings)


@pytest.fixture
def plugged(base: Base, package: Path) -> Iterator[Base]:
    """The base with the plugin installed from the file, and removed again after the test."""
    base.conda("install", "-y", "-q", "--offline", "-p", base.prefix, package)
    yield base
    if (base.dropin).exists():
        base.conda("remove", "-y", "-q", "--offline", "-p", base.prefix, "conda-token-plugin")

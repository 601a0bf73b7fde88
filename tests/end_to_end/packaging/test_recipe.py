"""The recipe: it says what pyproject.toml says, and a real conda-build makes a package of it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement

from conda_token_plugin import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:  # whl2conda brings tomlkit
    import tomlkit as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end.packaging.channel import Channel

ROOT = Path(__file__).parents[3]
RECIPE = ROOT / "recipe" / "meta.yaml"
needs_conda_build = pytest.mark.skipif(
    find_spec("conda_build") is None or not (Path(sys.prefix) / "bin" / "conda").exists(),
    reason="no conda-build can be imported beside a conda command (it is not on the package index)",
)


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    """The recipe as YAML: without what only conda-build can compute."""
    from ruamel.yaml import YAML

    lines = RECIPE.read_text("utf-8").partition("package:\n")[2].split("\n")
    plain = "\n".join(line for line in lines if "{{" not in line)
    return dict(YAML(typ="safe").load(f"package:\n{plain}"))


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """pyproject.toml."""
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))


def test_the_recipe_runs_with_the_dependencies_of_the_wheel_and_conda(
    recipe: dict[str, Any], project: dict[str, Any]
) -> None:
    extra = project["tool"]["whl2conda"]["extra-dependencies"]
    python = f"python{project['project']['requires-python']}"
    wanted = {*project["project"]["dependencies"], python, *extra}
    assert needs(recipe["requirements"]["run"]) == needs(wanted)


def test_the_recipe_builds_with_what_the_wheel_is_built_with(
    recipe: dict[str, Any], project: dict[str, Any]
) -> None:
    python = f"python{project['project']['requires-python']}"
    wanted = {*project["build-system"]["requires"], "pip", python}
    assert needs(recipe["requirements"]["host"]) == needs(wanted)


def test_the_recipe_constrains_what_the_demo_needs(
    recipe: dict[str, Any], project: dict[str, Any]
) -> None:
    wanted = needs(project["project"]["optional-dependencies"]["demo"])
    wanted["msgpack-python"] = wanted.pop("msgpack")  # as conda's channels call it
    assert needs(recipe["requirements"]["run_constrained"]) == wanted


def test_the_recipe_makes_the_script_that_the_wheel_makes(
    recipe: dict[str, Any], project: dict[str, Any]
) -> None:
    scripts = project["project"]["scripts"].items()
    assert recipe["build"]["entry_points"] == [f"{name} = {what}" for name, what in scripts]


def test_the_recipe_tells_what_the_wheel_tells(
    recipe: dict[str, Any], project: dict[str, Any]
) -> None:
    assert recipe["about"]["summary"] == project["project"]["description"]
    assert recipe["about"]["license"] == project["project"]["license"]


def test_every_import_that_the_recipe_tries_is_a_package_or_module(recipe: dict[str, Any]) -> None:
    tried = [name.replace(".", "/") for name in recipe["test"]["imports"]]
    files = [(f"{name}.py", f"{name}/__init__.py") for name in tried]
    assert [pair for pair in files if not any((ROOT / name).exists() for name in pair)] == []


@needs_conda_build
@pytest.mark.conda
def test_conda_build_renders_the_recipe_with_the_version_of_the_package(
    run: Callable[..., str], source: Path, channel: Channel, tmp_path: Path
) -> None:
    words = ("render", source / "recipe", "--override-channels", "-c", channel.url)
    settings = {"CONDA_SOLVER": "rattler", "CONDA_PKGS_DIRS": str(tmp_path / "pkgs")}
    rendered = run(sys.executable, "-m", "conda", *words, **settings)
    assert f"version: {__version__}" in rendered


@needs_conda_build
@pytest.mark.conda
@pytest.mark.slow
def test_conda_build_builds_the_recipe_and_its_tests_pass(
    run: Callable[..., str], source: Path, channel: Channel, tmp_path: Path
) -> None:
    folder = tmp_path / "built"
    words = ("--override-channels", "-c", channel.url, "--no-anaconda-upload", "--croot", folder)
    said = run(
        *(sys.executable, "-m", "conda", "build", source / "recipe", *words),
        CONDA_SOLVER="rattler",  # with the classic solver conda-build fails on virtual packages
        CONDA_PKGS_DIRS=str(tmp_path / "pkgs"),
        PATH=os.defpath,
    )
    assert "running run_test.py" in said
    assert (folder / "noarch" / f"conda-token-plugin-{__version__}-py_0.conda").is_file()


def needs(lines: Any) -> dict[str, str]:
    """Names and version specifiers, however they are spaced."""
    parsed = [Requirement(line.partition(";")[0].replace(" ", "")) for line in lines]
    return {need.name.lower(): str(need.specifier) for need in parsed}

"""Both recipes agree with pyproject.toml, and their build tools make packages of them."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from packaging.requirements import Requirement
from ruamel.yaml import YAML

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
RECIPE_V1 = ROOT / "recipe" / "recipe.yaml"
needs_conda_build = pytest.mark.skipif(
    find_spec("conda_build") is None or not (Path(sys.prefix) / "bin" / "conda").exists(),
    reason="no conda-build can be imported beside a conda command (it is not on the package index)",
)
needs_rattler_build = pytest.mark.skipif(
    find_spec("rattler_build") is None, reason="py-rattler-build is not installed"
)
BUILD = """
import sys
from rattler_build import Stage0Recipe, ToolConfiguration
from rattler_build.progress import SimpleProgressCallback

recipe, folder, channel = sys.argv[1:]
(variant,) = Stage0Recipe.from_file(recipe).render()
variant.run_build(
    ToolConfiguration(test_strategy="native", use_sharded=False),
    output_dir=folder,
    channels=[channel],
    progress_callback=SimpleProgressCallback(),
)
"""
"""Builds a recipe and runs its tests. Arguments: the recipe, the output folder, a channel."""


class Declared(NamedTuple):
    """What a recipe, or the files of the project, say about the package."""

    version: str | None
    """`None`: it is read from the package."""
    run: dict[str, str]
    host: dict[str, str]
    constraints: dict[str, str]
    entry_points: list[str]
    imports: set[str]
    summary: str
    license: str
    home: str
    repository: str
    documentation: str


def project() -> Declared:
    """Return what pyproject.toml and the package say."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    facts, urls = whole["project"], whole["project"]["urls"]
    python = f"python{facts['requires-python']}"
    constraints = needs(facts["optional-dependencies"]["demo"])
    constraints["msgpack-python"] = constraints.pop("msgpack")  # the name in conda's channels
    return Declared(
        version=__version__,
        run=needs(
            [*facts["dependencies"], python, *whole["tool"]["whl2conda"]["extra-dependencies"]]
        ),
        host=needs([*whole["build-system"]["requires"], "pip", python]),
        constraints=constraints,
        entry_points=[f"{name} = {target}" for name, target in facts["scripts"].items()],
        imports=set(),
        summary=facts["description"],
        license=facts["license"],
        home=urls["Homepage"],
        repository=urls["Repository"],
        documentation=urls["Documentation"],
    )


def meta_yaml() -> Declared:
    """Return what the recipe for conda-build says, without what only conda-build can compute."""
    lines = RECIPE.read_text("utf-8").partition("package:\n")[2].split("\n")
    plain = "\n".join(line for line in lines if "{{" not in line)
    recipe = YAML(typ="safe").load(f"package:\n{plain}")
    about, requirements = recipe["about"], recipe["requirements"]
    return Declared(
        version=None,
        run=needs(requirements["run"]),
        host=needs(requirements["host"]),
        constraints=needs(requirements["run_constrained"]),
        entry_points=recipe["build"]["entry_points"],
        imports=set(recipe["test"]["imports"]),
        summary=about["summary"],
        license=about["license"],
        home=about["home"],
        repository=about["dev_url"],
        documentation=about["doc_url"],
    )


def recipe_yaml() -> Declared:
    """Return what the recipe for rattler-build says."""
    recipe = YAML(typ="safe").load(RECIPE_V1.read_text("utf-8"))
    about, requirements = recipe["about"], recipe["requirements"]
    return Declared(
        version=recipe["context"]["version"],
        run=needs(requirements["run"]),
        host=needs(requirements["host"]),
        constraints=needs(requirements["run_constraints"]),
        entry_points=recipe["build"]["python"]["entry_points"],
        imports=set(recipe["tests"][0]["python"]["imports"]),
        summary=about["summary"],
        license=about["license"],
        home=about["homepage"],
        repository=about["repository"],
        documentation=about["documentation"],
    )


READERS = pytest.mark.parametrize("read", [meta_yaml, recipe_yaml])


@READERS
def test_recipe_agrees_with_the_project(read: Callable[[], Declared]) -> None:
    recipe, wanted = read(), project()
    assert recipe._replace(version=recipe.version or __version__, imports=set()) == wanted


@READERS
def test_every_import_that_a_recipe_tests_is_a_package_or_module(
    read: Callable[[], Declared],
) -> None:
    paths = [ROOT / name.replace(".", "/") for name in read().imports]
    files = [(path.with_suffix(".py"), path / "__init__.py") for path in paths]
    assert files
    assert [pair for pair in files if not any(file.exists() for file in pair)] == []


def test_both_recipes_test_the_same_imports() -> None:
    assert meta_yaml().imports == recipe_yaml().imports


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


@needs_rattler_build
@pytest.mark.conda
@pytest.mark.slow
def test_rattler_build_builds_the_recipe_and_its_tests_pass(
    run: Callable[..., str], source: Path, channel: Channel, tmp_path: Path
) -> None:
    folder = tmp_path / "built"
    recipe = source / "recipe" / "recipe.yaml"
    said = run(
        *(sys.executable, "-c", BUILD, recipe, folder, channel.url),
        RATTLER_CACHE_DIR=str(tmp_path / "cache"),
        PATH=os.defpath,
    )
    assert "+ python run_test.py" in said
    assert "all tests passed" in said
    (package,) = (folder / "noarch").glob(f"conda-token-plugin-{__version__}-*.conda")
    assert package.stat().st_size


def needs(lines: Any) -> dict[str, str]:
    """Return names and version specifiers, without blanks and markers."""
    parsed = [Requirement(line.partition(";")[0].replace(" ", "")) for line in lines]
    return {need.name.lower(): str(need.specifier) for need in parsed}

"""The contents of the wheel and of the source distribution."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin import HANDLER, __version__
from conda_token_plugin.settings.site import REPO_URL
from tests.end_to_end.packaging.base import DROPIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

ROOT = Path(__file__).parents[3]
STEM = f"conda_token_plugin-{__version__}"


def test_wheel_contains_only_the_package_its_metadata_and_the_dropin(
    wheel: Path,
) -> None:
    tops = {"conda_token_plugin", f"{STEM}.dist-info", f"{STEM}.data"}
    assert {name.partition("/")[0] for name in names_in(wheel)} == tops
    data = [name for name in names_in(wheel) if name.startswith(f"{STEM}.data")]
    assert {name.partition("/data/")[2] for name in data} == {DROPIN}


def test_wheel_contains_every_module_of_the_package(wheel: Path, source: Path) -> None:
    modules = (source / "conda_token_plugin").rglob("*.py")
    sources = {path.relative_to(source).as_posix() for path in modules}
    packed = {name for name in names_in(wheel) if name.endswith(".py")}
    assert packed == sources


def test_wheel_contains_the_schemas_of_the_json_documents(wheel: Path, source: Path) -> None:
    folder = source / "conda_token_plugin" / "schemas"
    schemas = {path.relative_to(source).as_posix() for path in folder.iterdir()}
    assert len(schemas) > 1
    assert schemas <= set(names_in(wheel))


def test_metadata_has_name_version_licence_extras_addresses_and_pythons(wheel: Path) -> None:
    metadata = metadata_of(wheel)
    assert (metadata["Name"], metadata["Version"]) == ("conda-token-plugin", __version__)
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert set(metadata.get_all("Provides-Extra", [])) >= {"demo", "test"}
    urls = dict(line.split(", ", 1) for line in metadata.get_all("Project-URL", []))
    assert urls.keys() == {"Homepage", "Repository", "Documentation", "Changelog", "Issues"}
    assert len({url.split("/")[4] for url in urls.values()}) == 1, "one repository"
    classifiers = metadata.get_all("Classifier", [])
    wanted = [f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 15)]
    assert [one for one in classifiers if re.search(r":: 3\.", one)] == wanted


def test_wheel_is_marked_as_typed_and_contains_the_licence(wheel: Path) -> None:
    assert "conda_token_plugin/py.typed" in names_in(wheel)
    assert f"{STEM}.dist-info/licenses/LICENSE" in names_in(wheel)


def test_wheel_and_sdist_contain_no_caches_of_tools(wheel: Path, sdist: Path) -> None:
    caches = re.compile(r"(^|/)(__pycache__|\.\w+_cache|\.hypothesis|\.git|[\w.]+\.pyc)(/|$)")
    assert [name for name in (*names_in(wheel), *members_of(sdist)) if caches.search(name)] == []


def test_wheel_does_not_depend_on_conda(wheel: Path) -> None:
    wanted = metadata_of(wheel).get_all("Requires-Dist", [])
    assert [need for need in wanted if need.split(">")[0].strip() == "conda"] == []


def test_wheel_registers_the_plugin_and_the_script(wheel: Path) -> None:
    entry_points = ConfigParser(delimiters=("=",))
    entry_points.read_string(text_in(wheel, f"{STEM}.dist-info/entry_points.txt"))
    assert {section: dict(entry_points[section]) for section in entry_points.sections()} == {
        "console_scripts": {"conda-token-plugin": "conda_token_plugin.cli:script"},
        "conda": {"conda-token-plugin": "conda_token_plugin.plugin"},
    }


def test_dropin_names_the_handler_for_the_whole_repository(wheel: Path) -> None:
    from ruamel.yaml import YAML

    settings = YAML(typ="safe").load(text_in(wheel, f"{STEM}.data/data/{DROPIN}"))
    assert settings == {"channel_settings": [{"channel": f"{REPO_URL}*", "auth": HANDLER}]}


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_build_of_the_same_source_gives_the_same_bytes(
    kind: str, build: Callable[[str, Path], Path], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    first = request.getfixturevalue(kind)
    second = build(kind, tmp_path / "again")
    assert second.name == first.name
    assert digest(second) == digest(first)


def test_wheel_built_from_the_sdist_equals_the_wheel_built_from_the_repository(
    wheel: Path, sdist: Path, run: Callable[..., str], tmp_path: Path
) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "wheel"
    command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    run(*command, cwd=tmp_path / STEM)
    assert digest(folder / wheel.name) == digest(wheel)


def test_sdist_contains_recipes_tests_and_documents(sdist: Path) -> None:
    packed = set(members_of(sdist))
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "recipe/meta.yaml"}
    wanted |= {"recipe/recipe.yaml", "CODE_OF_CONDUCT.md", "SECURITY.md"}
    wanted |= {f"recipe/{DROPIN}", "recipe/run_test.py", "tests/conftest.py"}
    wanted |= {"CONTRIBUTING.md", "docs/demo-light.svg"}
    assert wanted <= packed


def test_sdist_contains_every_file_under_version_control_except_hidden_ones(
    sdist: Path,
) -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no clone of the repository")
    hidden = {name for name in listed.stdout.split("\n") if name.startswith(".")}
    there = {name for name in listed.stdout.split("\n") if name and (ROOT / name).exists()}
    assert there - hidden - set(members_of(sdist)) == set()


def test_version_is_written_neither_in_pyproject_nor_in_the_recipe_for_conda_build() -> None:
    written = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "pyproject.toml", ROOT / "recipe" / "meta.yaml")
        if f'"{__version__}"' in path.read_text("utf-8") or f": {__version__}" in path.read_text()
    ]
    assert written == []


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def members_of(sdist: Path) -> list[str]:
    with tarfile.open(sdist) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def text_in(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name).decode()


def metadata_of(wheel: Path) -> Message:
    return Parser().parsestr(text_in(wheel, f"{STEM}.dist-info/METADATA"))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

"""The conda package that is made of the wheel: installed, used and removed in a real base."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin import __version__
from tests.end_to_end.packaging.base import DROPIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.sandbox import Sandbox
    from tests.end_to_end.packaging.base import Base

EMPTY_STORE = {"index.json", ".lock"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Yield the service and its repository."""
    from conda_token_plugin.sandbox import Sandbox

    with Sandbox.start() as running:
        yield running


def test_package_has_the_dependencies_of_the_recipe(package: Path) -> None:
    from ruamel.yaml import YAML

    from tests.end_to_end.packaging.test_recipe import RECIPE

    run = RECIPE.read_text("utf-8").partition("  run:\n")[2].partition("  run_constrained:")[0]
    assert sorted(info(package, "index.json")["depends"]) == sorted(YAML(typ="safe").load(run))


def test_package_is_noarch_and_has_the_entry_point(package: Path) -> None:
    assert info(package, "index.json")["noarch"] == "python"
    entry_points = info(package, "link.json")["noarch"]["entry_points"]
    assert entry_points == ["conda-token-plugin=conda_token_plugin.cli:script"]


@pytest.mark.conda
@pytest.mark.slow
def test_package_works_in_a_real_base_and_its_removal_leaves_an_empty_store(
    base: Base, package: Path, sandbox: Sandbox
) -> None:
    base.conda("info")  # conda writes files of its own when it runs for the first time
    before = base.content()
    base.conda("install", "-y", "-q", "--offline", "-p", base.prefix, package)
    with_plugin = base.content()
    token = token_used(base, sandbox)
    after = base.content()
    # The store that remains has an empty index: it names no token and no organization.
    assert {path.rpartition("/")[2] for path in after.keys() - with_plugin} == EMPTY_STORE
    assert not any(token.encode() in file.read_bytes() for file in map(Path, after))
    base.conda("remove", "-y", "-q", "--offline", "-p", base.prefix, "conda-token-plugin")
    assert before.items() == {p: d for p, d in base.content().items() if p in before}.items()
    assert {path.rpartition("/")[2] for path in base.content().keys() - before} == EMPTY_STORE
    assert "token" not in base.conda("--help").split()


def token_used(base: Base, sandbox: Sandbox) -> str:
    """Issue a token, list it, install a package with it, and remove it; return its value."""
    settings = {
        "ANACONDA_AUTH_API_KEY": sandbox.world.api_key("ada"),
        "CONDA_TOKEN_SERVICE_URL": sandbox.service,
        "CONDA_TOKEN_REPO_URL": sandbox.repo,
        "CONDA_TOKEN_STORE": "file",
    }
    environment = base.prefix.parent / "env"
    wanted = ("--override-channels", "-c", sandbox.url_of("acme", "private"), "acme-private")
    create = ("create", "-y", "-q", "-p", environment, *wanted)
    assert base.tried("conda", *create, **settings)[0] != 0
    base.conda("token", "install", "--org", "acme", "--reissue", **settings)
    assert "acme" in base.conda("token", "list", **settings)
    base.conda(*create, **settings)
    assert (environment / "bin" / "acme-private").exists()
    base.conda("token", "remove", "--all", **settings)
    token = sandbox.world.current("acme", "ada")
    assert token is not None
    return token.value


@pytest.mark.conda
@pytest.mark.slow
def test_package_installs_the_subcommand_the_script_and_the_dropin(plugged: Base) -> None:
    assert __version__ in plugged.conda("token", "--version")
    assert plugged.tried("conda-token-plugin", "--version") == (
        0,
        f"conda-token-plugin {__version__}\n",
    )
    assert DROPIN in plugged.conda("config", "--show-sources")


@pytest.mark.conda
@pytest.mark.slow
def test_commands_of_the_readme_install_into_a_base_and_remove_again(
    base: Base, source: Path
) -> None:
    from tests.end_to_end.test_documentation import of

    into, out = (block.text for block in of("base"))
    assert __version__ in output_of(base, into, at=source)
    assert DROPIN in base.conda("config", "--show-sources")
    output_of(base, out, at=source)
    assert not base.dropin.exists()
    assert base.tried("conda", "token")[0] != 0


def output_of(base: Base, text: str, *, at: Path) -> str:
    """Run lines in a shell, with pip offline, and return the output. All must succeed."""
    settings = dict.fromkeys(("NO_INDEX", "NO_DEPS", "NO_CACHE_DIR", "YES"), "1")
    settings |= {"NO_BUILD_ISOLATION": "0", "DISABLE_PIP_VERSION_CHECK": "1"}
    pip = {f"PIP_{name}": value for name, value in settings.items()}
    code, said = base.tried("/bin/bash", "-ec", f"cd '{at}'\n{text}", **pip)
    assert code == 0, said
    return said


@pytest.mark.conda
@pytest.mark.slow
def test_check_of_the_recipe_fails_without_the_dropin_of_the_package(
    plugged: Base, source: Path
) -> None:
    check = source / "recipe" / "run_test.py"
    assert plugged.tried("python", check) == (0, "")
    (plugged.dropin).rename(plugged.home / "aside")
    code, said = plugged.tried("python", check)
    (plugged.home / "aside").rename(plugged.dropin)
    assert (code, "the handler is not wired" in said) == (1, True)


def info(package: Path, name: str) -> Any:
    """Return a document of the package's ``info`` folder."""
    from conda_package_streaming.package_streaming import stream_conda_info

    for archive, member in stream_conda_info(package):
        if member.name == f"info/{name}":
            file = archive.extractfile(member)
            assert file is not None
            return json.load(file)
    raise AssertionError(f"the package has no info/{name}")

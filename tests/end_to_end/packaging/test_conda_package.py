"""A conda package made of the wheel, in a real conda of its own, from installation to removal."""

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
    """The service and its repository."""
    from conda_token_plugin.sandbox import Sandbox

    with Sandbox.start() as running:
        yield running


def test_the_package_depends_on_what_the_recipe_depends_on(package: Path) -> None:
    from ruamel.yaml import YAML

    from tests.end_to_end.packaging.test_recipe import RECIPE

    run = RECIPE.read_text("utf-8").partition("  run:\n")[2].partition("  run_constrained:")[0]
    assert sorted(info(package, "index.json")["depends"]) == sorted(YAML(typ="safe").load(run))


def test_the_package_is_for_any_python_and_makes_the_script(package: Path) -> None:
    assert info(package, "index.json")["noarch"] == "python"
    entry_points = info(package, "link.json")["noarch"]["entry_points"]
    assert entry_points == ["conda-token-plugin=conda_token_plugin.cli:script"]


@pytest.mark.conda
@pytest.mark.slow
def test_the_main_job_works_in_a_real_base_and_nothing_is_left_after_removal(
    base: Base, package: Path, sandbox: Sandbox
) -> None:
    base.conda("info")  # conda writes files of its own when it runs for the first time
    before = base.content()
    base.conda("install", "-y", "-q", "--offline", "-p", base.prefix, package)
    with_plugin = base.content()
    token = main_job(base, sandbox)
    after = base.content()
    # What stays of the store is an empty list: no token is in it, nor whose it was.
    assert {path.rpartition("/")[2] for path in after.keys() - with_plugin} == EMPTY_STORE
    assert not any(token.encode() in file.read_bytes() for file in map(Path, after))
    base.conda("remove", "-y", "-q", "--offline", "-p", base.prefix, "conda-token-plugin")
    assert before.items() == {p: d for p, d in base.content().items() if p in before}.items()
    assert {path.rpartition("/")[2] for path in base.content().keys() - before} == EMPTY_STORE
    assert "token" not in base.conda("--help").split()


def main_job(base: Base, sandbox: Sandbox) -> str:
    """Issue, list, install a package with the token, forget; the token that was used."""
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
def test_the_subcommand_the_script_and_the_drop_in_are_there(plugged: Base) -> None:
    assert __version__ in plugged.conda("token", "--version")
    assert plugged.tried("conda-token-plugin", "--version") == (
        0,
        f"conda-token-plugin {__version__}\n",
    )
    assert DROPIN in plugged.conda("config", "--show-sources")


@pytest.mark.conda
@pytest.mark.slow
def test_the_commands_of_the_readme_put_the_same_into_a_base_and_take_it_out_again(
    base: Base, source: Path
) -> None:
    from tests.end_to_end.test_documentation import of

    into, out = (block.text for block in of("base"))
    assert __version__ in typed(base, into, at=source)
    assert DROPIN in base.conda("config", "--show-sources")
    typed(base, out, at=source)
    assert not base.dropin.exists()
    assert base.tried("conda", "token")[0] != 0


def typed(base: Base, text: str, *, at: Path) -> str:
    """What a shell says to the lines of ``text``, each of which works; pip is offline."""
    settings = dict.fromkeys(("NO_INDEX", "NO_DEPS", "NO_CACHE_DIR", "YES"), "1")
    settings |= {"NO_BUILD_ISOLATION": "0", "DISABLE_PIP_VERSION_CHECK": "1"}
    pip = {f"PIP_{name}": value for name, value in settings.items()}
    code, said = base.tried("/bin/bash", "-ec", f"cd '{at}'\n{text}", **pip)
    assert code == 0, said
    return said


@pytest.mark.conda
@pytest.mark.slow
def test_the_check_of_the_recipe_passes_with_the_package_and_fails_without_its_drop_in(
    plugged: Base, source: Path
) -> None:
    check = source / "recipe" / "run_test.py"
    assert plugged.tried("python", check) == (0, "")
    (plugged.dropin).rename(plugged.home / "aside")
    code, said = plugged.tried("python", check)
    (plugged.home / "aside").rename(plugged.dropin)
    assert (code, "the handler is not wired" in said) == (1, True)


def info(package: Path, name: str) -> Any:
    """A document of the package's ``info`` folder."""
    from conda_package_streaming.package_streaming import stream_conda_info

    for archive, member in stream_conda_info(package):
        if member.name == f"info/{name}":
            file = archive.extractfile(member)
            assert file is not None
            return json.load(file)
    raise AssertionError(f"the package has no info/{name}")

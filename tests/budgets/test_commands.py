"""Budgets of the commands: requests that are made, and modules that are imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.budgets.watching import counts

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox

SCRIPT = """
import sys
before = set(sys.modules)
from conda_token_plugin.cli import main
code = main(sys.argv[1:], prog="conda-token-plugin")
modules = sorted(set(sys.modules) - before)
from tests.budgets.watching import report
report(code=code, modules=modules)
"""
HEAVY = {"keyring", "requests", "urllib3", "ruamel", "filelock", "oauthlib", "shtab", "concurrent"}
SHOWN_ONLY_ON_A_TERMINAL = {"rich", "pygments", "markdown_it"}
LIST_MODULES = 37
"""Of the package, for `list`. Five are the `__init__` of a package. `operations.issue_journal` is
imported to report an interrupted issue, `settings.sites` to find the repository, and
`settings.paths` to find the home folder (0.2 ms)."""
ISSUE, TO_ISSUE = "/api/organizations/acme/ce/current-token", "PUT"


def ours(modules: list[str]) -> list[str]:
    return [name for name in modules if name.startswith("conda_token_plugin")]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "command", [("list",), ("list", "--json"), ("which", "https://a.example/b")], ids=" ".join
)
def test_read_only_command_imports_no_heavy_library(command: tuple[str, ...]) -> None:
    modules = counts(SCRIPT, *command)["modules"]

    assert not (HEAVY | SHOWN_ONLY_ON_A_TERMINAL).intersection(
        name.partition(".")[0] for name in modules
    )
    assert len(ours(modules)) <= LIST_MODULES, ours(modules)


@pytest.mark.parametrize("command", [("--help",), ("--version",)], ids=" ".join)
def test_help_imports_no_store(command: tuple[str, ...]) -> None:
    modules = counts(SCRIPT, *command)["modules"]
    assert not any("conda_token_plugin.store" in name for name in modules)
    assert not HEAVY.intersection(name.partition(".")[0] for name in modules)


def test_issuing_makes_four_requests(
    home: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDA_TOKEN_SERVICE_URL", sandbox.service)
    monkeypatch.setenv("CONDA_TOKEN_REPO_URL", sandbox.repo)
    monkeypatch.setenv("ANACONDA_AUTH_API_KEY", sandbox.world.api_key("ada"))

    assert counts(SCRIPT, "install", "--org", "acme", "--yes")["code"] == 0

    made = [(request.method, request.path) for request in sandbox.requests]
    package = made[-1][1]
    assert made == [
        ("GET", ISSUE),
        (TO_ISSUE, ISSUE),
        ("GET", "/repo/acme/main/noarch/repodata.json"),
        ("HEAD", package),
    ]
    assert package.startswith("/repo/acme/main/noarch/")
    assert (home / ".conda" / "condarc.d" / "conda-token-plugin.yml").is_file()


@pytest.mark.parametrize(
    ("option", "held"), [("--reissue", ()), ("--yes", ("held index", "held package"))]
)
def test_replacing_a_token_verifies_only_with_yes_that_it_is_held_here(
    home: Path,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    held: tuple[str, ...],
) -> None:
    test_issuing_makes_four_requests(home, sandbox, monkeypatch)
    sandbox.requests.clear()
    assert counts(SCRIPT, "install", "--org", "acme", option)["code"] == 0
    assert len(sandbox.requests) == len(("existing", *held, "issue", "index", "package"))

"""`uninstall`, and `remove` with the options of anaconda-auth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


@pytest.fixture
def two(shell: Shell) -> Shell:
    """A shell whose user has tokens of acme and globex."""
    for organization in ("acme", "globex"):
        shell.install(organization)
    return shell


def held(shell: Shell) -> list[str]:
    return [one["organization"] for one in shell.held()]


@pytest.mark.parametrize("option", ["-o", "--org"])
def test_uninstall_accepts_the_organization_as_an_option(two: Shell, option: str) -> None:
    assert two("uninstall", option, "acme").code == 0
    assert held(two) == ["globex"]


@pytest.mark.parametrize("option", ["-a", "--all"])
def test_uninstall_all_removes_all_tokens(two: Shell, option: str) -> None:
    assert two("uninstall", option).code == 0
    assert held(two) == []


@pytest.mark.parametrize("words", [[], ["--env"], ["-e"], ["-f", "/nowhere/condarc"]])
def test_remove_without_a_name_means_the_only_token(two: Shell, words: list[str]) -> None:
    assert two("remove", *words).code == 2
    assert held(two) == ["acme", "globex"]
    two("remove", "globex")
    assert two("remove", *words).code == 0
    assert held(two) == []

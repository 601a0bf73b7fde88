"""The store of the machine, used by another user: root writes it, members of a group read it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_unlisted_user import SKIPPED, run_as
from tests.store.test_machine import NOBODY, folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.machine import Machine, Ran

__all__ = ["folder"]  # a fixture

VALUE = "a-token-0123456789-abcdefghij"
GROUP, GROUP_ID = "daemon", 1
pytestmark = pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason=SKIPPED)


@pytest.fixture
def shared(machine: Machine, folder: Path) -> Machine:
    """Return a machine whose store has a token that the group may read."""
    machine.variables["CONDA_TOKEN_SYSTEM_HOME"] = str(folder)
    machine.variables["CONDA_TOKEN_SYSTEM_CONDARC"] = str(folder.with_name("dropin.yml"))
    words = ("install", "--system", "--group", GROUP, "--org", "acme", "--no-validate")
    machine.plugin(*words, "--token-env", "GIVEN", GIVEN=VALUE).well()
    return machine


def as_nobody(machine: Machine, *words: str, group: int) -> Ran:
    """Run the command as another user, with a home folder that does not exist."""
    home = f"{machine.variables['CONDA_TOKEN_SYSTEM_HOME']}-home"
    variables = {**machine.variables, "HOME": home, "CONDA_TOKEN_HOME": f"{home}/store"}
    ran = run_as(NOBODY, *words, variables=variables, groups=(group,))
    assert VALUE not in ran.err
    return ran


def test_member_of_the_group_finds_the_token_of_the_machine(shared: Machine) -> None:
    ran = as_nobody(shared, "which", "acme/main", group=GROUP_ID).well()
    assert "source        machine" in ran.out


def test_member_of_the_group_can_run_a_command_with_the_token(shared: Machine) -> None:
    ran = as_nobody(shared, "run", "--org", "acme", "--", "env", group=GROUP_ID)
    assert f"ANACONDA_REPO_TOKEN_ACME={VALUE}" in ran.out, ran.err


def test_user_outside_the_group_finds_no_token_and_is_told_why(shared: Machine) -> None:
    ran = as_nobody(shared, "which", "acme/main", group=NOBODY)
    assert ran.code == 1
    assert "you are not in the group daemon" in ran.err


@pytest.mark.parametrize("group", [GROUP_ID, NOBODY], ids=["member", "not a member"])
@pytest.mark.parametrize(
    "words",
    [
        ("remove", "--system", "acme"),
        ("install", "--system", "--group", GROUP, "--org", "beta", "--no-validate"),
    ],
)
def test_other_user_cannot_change_the_store_of_the_machine(
    shared: Machine, words: tuple[str, ...], group: int
) -> None:
    variable = ("--token-env", "CONDA_TOKEN_REPO_URL") if words[0] == "install" else ()
    ran = as_nobody(shared, *words, *variable, group=group)
    assert ran.code != 0
    assert "acme" in shared.plugin("list").well().out
    assert "beta" not in shared.plugin("list").well().out


def test_drop_in_of_the_machine_is_readable_for_every_user(shared: Machine) -> None:
    path = shared.settings.machine_condarc
    assert path.stat().st_mode & 0o777 == 0o644
    assert VALUE not in path.read_text()

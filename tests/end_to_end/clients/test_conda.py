"""conda itself, with nothing of this plugin in its way, finds the exported token files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda


def test_conda_installs_from_two_organizations_with_exported_tokens_until_they_are_removed(
    machine: Machine, solver: str
) -> None:
    machine.variables["CONDA_SOLVER"] = solver
    values = {name: machine.install(name, with_conda=False) for name in ("acme", "globex")}
    machine.plugin("export", "conda", "--yes").well()
    channels, alone = machine.only("acme/main", "globex/main"), machine.without_plugin()

    done = machine.create(*channels, "acme-tools", "globex-tools", **alone).well()

    assert machine.installed() >= {"acme-tools", "globex-tools"}
    seen = [one for one in machine.sandbox.requests if "/repo/" in one.path]
    assert not any(one.authorization for one in seen)
    ours = (str(machine.store_folder), str(machine.home / ".config" / "binstar"))
    files = [path for path in machine.files() if not str(path).startswith(ours)]
    for name, value in values.items():
        theirs = [one for one in seen if f"/repo/{name}/" in one.path]
        assert theirs
        assert all(one.path.startswith(f"/t/{value}/") for one in theirs)
        assert value not in done.said
        assert not [path for path in files if value.encode() in path.read_bytes()]
    machine.plugin("export", "conda", "--remove").well()
    machine.forget()
    machine.create(*channels, "acme-tools", **alone).badly()


def test_conda_token_run_gets_its_command_unchanged(machine: Machine) -> None:
    value = machine.install("acme", with_conda=False)
    show = (
        "import os, sys; print(os.environ['ANACONDA_REPO_TOKEN_ACME'] == sys.argv[1], sys.argv[2:])"
    )
    words = ("--org", "acme", "--", sys.executable, "-c", show, value, "--json", "--", "-y")
    ran = machine.conda("token", "run", *words).well()
    assert ran.out == "True ['--json', '--', '-y']\n"

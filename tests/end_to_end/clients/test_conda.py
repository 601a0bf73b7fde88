"""conda itself, with nothing of this plugin in its way, finds the exported token files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda


def test_conda_installs_from_two_organizations_with_exported_tokens(
    machine: Machine, solver: str
) -> None:
    values = {name: machine.install(name, with_conda=False) for name in ("acme", "globex")}
    machine.plugin("export", "conda", "--yes").well()
    url = machine.sandbox.url_of
    alone = machine.without_plugin()
    machine.create(
        *("--override-channels", "-c", url("acme", "main"), "-c", url("globex", "main")),
        *("acme-tools", "globex-tools"),
        CONDA_SOLVER=solver,
        **alone,
    ).well()
    assert machine.installed() >= {"acme-tools", "globex-tools"}
    seen = [one for one in machine.sandbox.requests if "/repo/" in one.path]
    assert not any(one.authorization for one in seen)
    for name, value in values.items():
        theirs = [one for one in seen if f"/repo/{name}/" in one.path]
        assert theirs
        assert all(one.path.startswith(f"/t/{value}/") for one in theirs)


def test_conda_is_refused_after_the_export_is_removed(machine: Machine, solver: str) -> None:
    machine.install("acme", with_conda=False)
    machine.plugin("export", "conda", "--yes").well()
    machine.plugin("export", "conda", "--remove").well()
    alone = machine.without_plugin()
    machine.create(
        *("--override-channels", "-c", machine.sandbox.url_of("acme", "main")),
        "acme-tools",
        CONDA_SOLVER=solver,
        **alone,
    ).badly()


def test_conda_with_exported_tokens_writes_no_token(machine: Machine, solver: str) -> None:
    value = machine.install("acme", with_conda=False)
    machine.plugin("export", "conda", "--yes").well()
    alone = machine.without_plugin()
    done = machine.create(
        *("--override-channels", "-c", machine.sandbox.url_of("acme", "main")),
        "acme-tools",
        CONDA_SOLVER=solver,
        **alone,
    ).well()
    assert value not in done.said
    ours = (str(machine.store_folder), str(machine.home / ".config" / "binstar"))
    files = [path for path in machine.files() if not str(path).startswith(ours)]
    assert not [path for path in files if value.encode() in path.read_bytes()]


def test_conda_token_run_gets_its_command_unchanged(machine: Machine) -> None:
    value = machine.install("acme", with_conda=False)
    show = (
        "import os, sys; print(os.environ['ANACONDA_REPO_TOKEN_ACME'] == sys.argv[1], sys.argv[2:])"
    )
    words = ("--org", "acme", "--", sys.executable, "-c", show, value, "--json", "--", "-y")
    ran = machine.conda("token", "run", *words).well()
    assert ran.out == "True ['--json', '--', '-y']\n"

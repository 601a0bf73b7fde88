"""py-rattler, the real one, finds what was exported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.rattler import CLIENT, installs, names, needs_rattler

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = needs_rattler


def urls(machine: Machine, organization: str) -> list[str]:
    return [machine.sandbox.url_of(organization, name) for name in ("main", "private")]


def test_rattler_installs_with_an_exported_token_and_writes_it_nowhere(machine: Machine) -> None:
    value = machine.install("acme", with_conda=False)
    refused = installs(machine, *urls(machine, "acme"), packages="acme-tools").badly()
    assert "403" in refused.said
    machine.plugin("export", "rattler").well()
    done = installs(
        machine, *urls(machine, "acme"), packages="acme-tools acme-private", folder="b"
    ).well()
    assert names(done.out) == ["acme-hello", "acme-private", "acme-tools"]
    assert (machine.folder / "b" / "env" / "bin" / "acme-tools").exists()
    seen = [one for one in machine.sandbox.requests if one.status == 200]
    assert {one.path.startswith(f"/t/{value}/repo/acme/") for one in seen} == {True, False}
    written = [path for path in machine.files() if "/b/" in str(path)]
    assert len(written) > 5
    assert not [path for path in written if value.encode() in path.read_bytes()]
    outside = [one for one in seen if not one.path.startswith("/t/")]
    assert {one.path.split("/")[1] for one in outside} == {"signed"}
    assert not any(one.authorization for one in outside)
    machine.plugin("export", "rattler", "--remove").well()
    installs(machine, *urls(machine, "acme"), packages="acme-tools", folder="c").badly()


def test_rattler_opens_two_organizations_on_two_hosts_only(machine: Machine) -> None:
    """rattler knows hosts only; here the same server has two names."""
    machine.install("acme", with_conda=False)
    machine.plugin("export", "rattler").well()
    elsewhere = machine.sandbox.repo.replace("127.0.0.1", "localhost")
    supplied = {
        "ANACONDA_REPO_TOKEN_GLOBEX": machine.sandbox.world.issue("globex", "ada").value,
        "CONDA_TOKEN_REPO_URL": elsewhere,
    }
    machine.plugin("export", "rattler", "--org", "globex", **supplied).well()
    done = installs(
        machine,
        machine.sandbox.url_of("acme", "main"),
        f"{elsewhere}globex/main",
        packages="acme-tools globex-tools",
    ).well()
    assert names(done.out) == ["acme-hello", "acme-tools", "globex-hello", "globex-tools"]


def test_rattler_reads_the_file_that_a_variable_names(machine: Machine) -> None:
    machine.install("acme", with_conda=False)
    named = {"RATTLER_AUTH_FILE": str(machine.folder / "auth.json")}
    machine.plugin("export", "rattler", **named).well()
    installs(machine, *urls(machine, "acme"), packages="acme-tools", **named).well()
    installs(machine, *urls(machine, "acme"), packages="acme-tools", folder="b").badly()


def test_rattler_reads_the_other_entries_after_an_export(machine: Machine) -> None:
    machine.install("acme", with_conda=False)
    path = machine.home / ".rattler" / "credentials.json"
    path.parent.mkdir()
    path.write_text(
        '{\n  "prefix.dev": {"BearerToken": "x"},\n  "*.b.example": {"CondaToken":"y"}}'
    )
    machine.plugin("export", "rattler").well()
    installs(machine, *urls(machine, "acme"), packages="acme-tools").well()


def test_rattler_in_run_reads_a_file_that_is_gone_afterwards(machine: Machine) -> None:
    value = machine.install("acme", with_conda=False)
    show = "import os, sys; print(os.environ['RATTLER_AUTH_FILE']); sys.stdout.flush()"
    child = f"{show}; os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    place = str(machine.folder / "a")
    command = (sys.executable, "-c", child, *CLIENT, urls(machine, "acme")[0], "acme-tools", place)

    ran = machine.plugin("run", "--org", "acme", "--", *command).well()

    path, _, packages = ran.out.partition("\n")
    assert names(packages) == ["acme-hello", "acme-tools"]
    assert not Path(path).parent.exists()
    assert not (machine.home / ".rattler").exists()
    assert not [one for one in machine.files() if _contains(one, value, except_for=machine)]


def _contains(path: Path, value: str, *, except_for: Machine) -> bool:
    return except_for.store_folder not in path.parents and value.encode() in path.read_bytes()

"""What a real conda leaves behind when a token is in a channel's URL, found and taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda


def test_audit_finds_a_token_of_a_channel_url_in_every_file_and_removes_it(
    machine: Machine,
) -> None:
    value = machine.install("acme", with_conda=False)
    away = machine.without_plugin()
    repo = machine.sandbox.repo
    laden = f"{repo.removesuffix('/repo/')}/t/{value}/repo/acme/main"
    machine.create(*machine.only(laden), "acme-tools", **away).well()

    def holders() -> set[str]:
        folder, store = machine.folder, str(machine.store_folder)
        files = [path for path in machine.files() if not str(path).startswith(store)]
        holding = [path for path in files if value.encode() in path.read_bytes()]
        return {str(path.relative_to(folder)) for path in holding}

    before = holders()
    assert {"env/conda-meta/history", "pkgs/urls.txt"} <= before
    ran = machine.plugin("audit", "--json")
    assert ran.code == 1
    found = {one["path"].removeprefix(f"{machine.folder}/") for one in ran.json}
    assert found == before
    assert value not in ran.said
    fixed = machine.plugin("audit", "--fix", "--yes").well()
    assert value not in fixed.said
    assert holders() == set()
    assert "acme-tools" in machine.conda("list", "-p", str(machine.prefix)).well().out
    assert machine.plugin("audit").code == 0

"""After a token changed, conda asks that channel anew, and every other channel as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.integrations.conda.caches import name_of
from tests.support.conda_version import conda_version, solver_missing

if TYPE_CHECKING:
    from tests.end_to_end.conda.report import Table
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda


def test_refused_zst_is_requested_again_after_a_new_token(machine: Machine, table: Table) -> None:
    if conda_version() >= (26, 7):
        pytest.skip("since 26.7, conda asks for zst each time, whatever it remembers")
    machine.install("acme")
    machine.sandbox.fail_next(r"/acme/main/.*\.zst", times=99, status=403)
    _update(machine)
    assert _asked_for_zst(machine), "at first"
    _update(machine)
    assert not _asked_for_zst(machine), "refused is taken for absent, for a week"
    machine.sandbox.faults.replace([])
    others = _memory_of(machine, "anaconda-tools")

    machine.install("acme")

    assert _memory_of(machine, "acme", "main") == {}
    assert others
    assert _memory_of(machine, "anaconda-tools") == others
    _update(machine)
    assert _asked_for_zst(machine)
    table.add("after a new token", solver="classic", channel="acme", saw="zst is asked for again")


def test_refused_shards_are_requested_again_after_a_new_token(
    machine: Machine, table: Table
) -> None:
    if solver_missing("rattler") or conda_version() < (26, 7):
        pytest.skip("no shards without conda 26.7 and conda-rattler-solver")
    machine.variables["CONDA_SOLVER"] = "rattler"
    machine.install("acme")
    current = machine.sandbox.world.current("acme", "ada")
    assert current is not None
    machine.sandbox.world.revoke(current.id)
    channel = machine.only("acme/private")
    machine.create(*channel, "acme-private").badly()
    assert any(
        b'"has_shards"' in state for state in _memory_of(machine, "acme", "private").values()
    )

    machine.install("acme")

    assert _memory_of(machine, "acme", "private") == {}
    machine.create(*channel, "acme-private").well()
    shards = [one for one in machine.sandbox.requests if "repodata_shards" in one.path]
    assert {one.status for one in shards} == {200}
    table.add(
        "after a new token", solver="rattler", channel="acme", saw="shards are asked for again"
    )


def test_removing_a_token_clears_the_caches_of_its_channels(machine: Machine) -> None:
    machine.install("acme")
    _update(machine)
    others = _memory_of(machine, "anaconda-tools")
    assert _memory_of(machine, "acme", "main")

    machine.conda("token", "remove", "acme").well()

    assert _memory_of(machine, "acme", "main") == {}
    assert _memory_of(machine, "anaconda-tools") == others


def _update(machine: Machine) -> None:
    """Have conda read the indexes of a channel of ours and of one of everybody's."""
    machine.sandbox.requests.clear()
    machine.conda("search", *machine.only("acme/main", "anaconda-tools"), "acme-hello").well()


def _asked_for_zst(machine: Machine) -> bool:
    asked = {one.path for one in machine.sandbox.requests if "/acme/main/" in one.path}
    return any(path.endswith(".zst") for path in asked)


def _memory_of(machine: Machine, *names: str) -> dict[str, bytes]:
    """What conda's cache holds of a channel: file names and contents."""
    subdirs = [f"{machine.sandbox.url_of(*names)}/{subdir}" for subdir in ("noarch", "linux-64")]
    hashes = {name_of(one, index=fn) for one in subdirs for fn in ("", "current_repodata.json")}
    cached = (machine.packages / "cache").iterdir()
    return {path.name: path.read_bytes() for path in cached if path.name[:8] in hashes}

"""Not one piece of a token in anything that conda prints or writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.secret_search import pieces, printed, stored, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.machine import Machine, Ran

pytestmark = pytest.mark.conda


def test_no_piece_of_a_token_is_printed_or_written(machine: Machine, solver: str) -> None:
    machine.variables["CONDA_SOLVER"] = solver
    token = machine.install("acme", "--set-default-channels")
    runs = [*_all_is_well(machine), *_the_token_is_revoked(machine), *_conda_breaks(machine)]

    sought = pieces(token)
    assert stored(machine, among=sought), "the search finds a token where there is one"
    assert any(ran.argv[2] == "create" and "Authorization" in ran.said for ran in runs)
    assert not printed(runs, among=sought)
    assert not written(machine, among=sought)


def _all_is_well(machine: Machine) -> Iterator[Ran]:
    url = machine.sandbox.url_of
    machine.condarc(f"channels:\n- {url('acme', 'main')}\n- {url('acme', 'private')}\n")
    yield machine.create("-vvv", "acme-private").well()
    at = ("-p", str(machine.prefix))
    yield machine.conda("install", "-y", *at, "--json", "-v", "acme-tools").well()
    yield machine.conda("list", "--explicit", *at).well()
    yield machine.conda("env", "export", *at).well()
    yield machine.conda("search", "-vv", "acme-hello", "--info").well()
    yield machine.conda("info", "--all").well()
    yield machine.conda("info", "--json").well()
    yield machine.conda("config", "--show").well()
    yield machine.conda("config", "--show-sources").well()
    yield machine.conda("token", "list").well()


def _the_token_is_revoked(machine: Machine) -> Iterator[Ran]:
    current = machine.sandbox.world.current("acme", "ada")
    assert current is not None
    machine.sandbox.world.revoke(current.id)
    machine.forget()
    for flag in ("--json", "-v", "-vvv"):
        yield machine.create(flag, "acme-hello").badly()


def _conda_breaks(machine: Machine) -> Iterator[Ran]:
    """What is no JSON at all ends in conda's report of an unexpected error."""
    machine.sandbox.fail_next(r"repodata\.json", times=99, status=200, body=b"not json")
    machine.forget()
    for flag in ("--json", "-vvv"):
        yield machine.create(flag, "acme-hello").badly()
    machine.sandbox.faults.replace([])

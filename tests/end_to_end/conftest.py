"""Fixtures of the tests with real programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.recipes.runner import Runner
from tests.support import keyrings
from tests.support.conda_version import solver_missing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.machine import Machine


@pytest.fixture(params=["classic", "rattler"])
def solver(request: pytest.FixtureRequest) -> str:
    """Return each of conda's solvers that works with this conda."""
    reason = solver_missing(request.param)
    if reason:
        pytest.skip(reason)
    return str(request.param)


@pytest.fixture
def runner(machine: Machine) -> Runner:
    """Return a machine that runs recipes."""
    made = Runner(machine)
    made.prepare()
    return made


@pytest.fixture
def with_keyring(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Yield a machine with a real Secret Service, which has no entries."""
    if keyrings.MISSING:
        pytest.skip(keyrings.MISSING)
    with keyrings.unlocked(tmp_path_factory.mktemp("session")) as session:
        machine.variables.update(session.settings())
        machine.variables.pop("PYTHON_KEYRING_BACKEND")
        yield machine

"""Fixtures of the tests with real programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.recipes.runner import Runner
from tests.support.conda_version import solver_missing

if TYPE_CHECKING:
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

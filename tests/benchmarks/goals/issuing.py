"""Measure goal 7: the requests of ``conda token install --org acme``, and the other time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks.hosts import FLOOR, OURS
from tests.benchmarks.pairing import Spread, in_turn
from tests.benchmarks.results import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.bench import Bench

REQUESTS, MILLISECONDS = 4.0, 50.0


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows, measured in a conda process from the first line to the exit code."""
    with bench.sandbox() as sandbox:
        home = bench.home(
            CONDA_TOKEN_SERVICE_URL=sandbox["service"],
            CONDA_TOKEN_REPO_URL=sandbox["repo"],
            ANACONDA_AUTH_API_KEY=sandbox["api_key"],
        )
        trials = {
            OURS: partial(home.probe, bench.ours, "issue"),
            FLOOR: partial(home.probe, bench.floor, "keep_safe"),
        }
        runs = in_turn(trials, rounds=bench.rounds)
    for subject, part, unit, limit in (
        (OURS, "requests", "requests", REQUESTS),
        (OURS, "beside", "ms beside its requests", MILLISECONDS),
        (FLOOR, "milliseconds", "ms beside its requests", None),
        (OURS, "disk", "ms of those for the disk", None),
        (OURS, "milliseconds", "ms in all", None),
    ):
        what = "conda token install --org acme --yes"
        spread = Spread.of(one[part] for one in runs[subject])
        yield Row(goal=7, subject=subject, what=what, unit=unit, spread=spread, limit=limit)

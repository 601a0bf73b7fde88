"""Measure goal 2: import a plugin and call its hooks in a process where conda is loaded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks.pairing import Spread, in_turn
from tests.benchmarks.results import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.bench import Bench

LIMITS = {"milliseconds": 1.0, "modules": 2.0}
UNITS = {"milliseconds": "ms", "modules": "modules"}


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows. Each subject runs in a new process, in turn."""
    subjects = (bench.floor, *bench.plugged)
    trials = {one.name: partial(bench.home().probe, one, "hooks", one.name) for one in subjects}
    found = in_turn(trials, rounds=bench.rounds)
    for subject in subjects:
        for part, limit in LIMITS.items():
            yield Row(
                goal=2,
                subject=subject.name,
                what="entry point and hooks",
                unit=UNITS[part],
                spread=Spread.of(one[part] for one in found[subject.name]),
                limit=limit if subject == bench.ours else None,
            )

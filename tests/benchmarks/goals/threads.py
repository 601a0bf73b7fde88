"""Measure goal 8: how often 32 threads that start at once read the store, and how long it takes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks.goals.urls import COVERED
from tests.benchmarks.pairing import Spread, differences, in_turn
from tests.benchmarks.results import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.bench import Bench

THREADS = 32
READS = 1.0


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows. Each thread prepares the first request of its own session."""
    trials = {
        one.name: partial(bench.holder(one).probe, one, "threads", COVERED, str(THREADS))
        for one in (bench.bare, *bench.plugged)
    }
    found = in_turn(trials, rounds=bench.rounds)
    bare = [one["milliseconds"] for one in found[bench.bare.name]]
    for subject in bench.plugged:
        row = partial(Row, goal=8, subject=subject.name, what=f"{THREADS} threads at once")
        mine = found[subject.name]
        over = differences([one["milliseconds"] for one in mine], over=bare)
        yield row(unit="ms more until all are ready", spread=over)
        for what in ("index", "secret") if subject == bench.ours else ():
            reads = Spread.of(one[what] for one in mine)
            yield row(unit=f"reads of the {what}", spread=reads, limit=READS)

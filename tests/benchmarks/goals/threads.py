"""Measure goal 8: how often 32 threads that start at once read the store, and how long it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.goals.urls import COVERED
from tests.benchmarks.pairing import Spread, differences, in_turn
from tests.benchmarks.results import Row
from tests.benchmarks.running import probed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.hosts import Subject

THREADS = 32
READS = 1.0


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows. Each thread prepares the first request of its own session."""
    trials = {one.name: _trial(bench, one) for one in (bench.bare, *bench.plugged)}
    found = in_turn(trials, rounds=bench.rounds)
    bare = [one["milliseconds"] for one in found[bench.bare.name]]
    for subject in bench.plugged:
        mine = found[subject.name]
        over = differences([one["milliseconds"] for one in mine], over=bare)
        yield _row(subject, "ms more until all are ready", over)
        if subject == bench.ours:
            for what in ("index", "secret"):
                reads = Spread.of(one[what] for one in mine)
                yield _row(subject, f"reads of the {what}", reads, limit=READS)


def _trial(bench: Bench, subject: Subject) -> Callable[[], dict[str, float]]:
    home = bench.holder(subject)

    def trial() -> dict[str, float]:
        found: dict[str, float] = probed(
            *(subject.python, "threads", COVERED, str(THREADS)),
            variables=home.variables,
            cwd=home.folder,
        )
        return found

    return trial


def _row(subject: Subject, unit: str, spread: Spread, *, limit: float | None = None) -> Row:
    what = f"{THREADS} threads at once"
    return Row(goal=8, subject=subject.name, what=what, unit=unit, spread=spread, limit=limit)

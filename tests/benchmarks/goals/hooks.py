"""Measure goal 2: import a plugin and call its hooks in a process where conda is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.pairing import Spread, in_turn
from tests.benchmarks.results import Row
from tests.benchmarks.running import probed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.hosts import Subject

MILLISECONDS, MODULES = 1.0, 2.0


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows. Each subject runs in a new process, in turn."""
    subjects = (bench.floor, *bench.plugged)
    trials = {subject.name: _trial(bench, subject) for subject in subjects}
    found = in_turn(trials, rounds=bench.rounds)
    for subject in subjects:
        ours = subject == bench.ours
        times = Spread.of(one["milliseconds"] for one in found[subject.name])
        modules = Spread.of(one["modules"] for one in found[subject.name])
        yield _row(subject, "ms", times, limit=MILLISECONDS if ours else None)
        yield _row(subject, "modules", modules, limit=MODULES if ours else None)


def _trial(bench: Bench, subject: Subject) -> Callable[[], dict[str, float]]:
    home = bench.home()

    def trial() -> dict[str, float]:
        found: dict[str, float] = probed(
            subject.python, "hooks", subject.name, variables=home.variables, cwd=home.folder
        )
        return found

    return trial


def _row(subject: Subject, unit: str, spread: Spread, *, limit: float | None) -> Row:
    what = "entry point and hooks"
    return Row(goal=2, subject=subject.name, what=what, unit=unit, spread=spread, limit=limit)

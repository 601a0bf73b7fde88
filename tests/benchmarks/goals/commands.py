"""Measure goal 1: whole conda commands with a plugin, relative to bare conda."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks.floor import told
from tests.benchmarks.instructions import instructions
from tests.benchmarks.pairing import Spread, in_turn, ratios
from tests.benchmarks.results import INSTRUCTIONS, PROCESSOR, TIME, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.homes import Home
    from tests.benchmarks.hosts import Subject

COMMANDS = (
    ("--version",),
    ("info",),
    ("config", "--show-sources"),
    ("list", "--prefix", "environment"),
)
SLOWER, MORE = 1.01, 1.005


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows. Every subject that can store a token has one."""
    subjects = (bench.bare, bench.floor, *bench.plugged)
    homes = {subject.name: bench.holder(subject) for subject in subjects}
    told(homes[bench.floor.name], by=homes[bench.ours.name])
    for home in homes.values():
        home.write("environment/conda-meta/history", "")
    for command in COMMANDS:
        yield from _times(bench, subjects, homes, command=command)
        if bench.valgrind:
            yield from _counts(bench, subjects, homes, command=command)


def _times(
    bench: Bench,
    subjects: tuple[Subject, ...],
    homes: dict[str, Home],
    *,
    command: tuple[str, ...],
) -> Iterator[Row]:
    trials = {one.name: partial(homes[one.name].run, one.conda(*command)) for one in subjects}
    runs = in_turn(trials, rounds=bench.rounds)
    walls = {name: [run.wall for run in taken] for name, taken in runs.items()}
    works = {name: [run.processor for run in taken] for name, taken in runs.items()}
    yield _row(bench.bare, command, "ms", Spread.of(walls[bench.bare.name]).times(1000))
    for unit, taken in ((TIME, walls), (PROCESSOR, works)):
        for subject in subjects[1:]:
            spread = ratios(taken[subject.name], over=taken[bench.bare.name])
            yield _row(subject, command, unit, spread, limit=_limit(bench, subject, SLOWER))


def _counts(
    bench: Bench,
    subjects: tuple[Subject, ...],
    homes: dict[str, Home],
    *,
    command: tuple[str, ...],
) -> Iterator[Row]:
    counted = {}
    for subject in subjects:
        home = homes[subject.name]
        counted[subject.name] = instructions(
            subject.conda(*command), variables=home.variables, cwd=home.folder
        )
    bare = counted[bench.bare.name]
    yield _row(bench.bare, command, "M instructions", Spread.of([bare / 1e6]))
    for subject in subjects[1:]:
        spread = Spread.of([counted[subject.name] / bare])
        yield _row(subject, command, INSTRUCTIONS, spread, limit=_limit(bench, subject, MORE))


def _row(
    subject: Subject,
    command: tuple[str, ...],
    unit: str,
    spread: Spread,
    *,
    limit: float | None = None,
) -> Row:
    what = f"conda {' '.join(command[:2])}".removesuffix(" --prefix")
    return Row(goal=1, subject=subject.name, what=what, unit=unit, spread=spread, limit=limit)


def _limit(bench: Bench, subject: Subject, limit: float) -> float | None:
    return limit if subject == bench.ours else None

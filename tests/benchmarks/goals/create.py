"""Measure goal 5: ``conda create`` of 200 packages, relative to the same in a public channel."""

from __future__ import annotations

from shutil import rmtree
from typing import TYPE_CHECKING

from tests.benchmarks.homes import ANACONDA_AUTH
from tests.benchmarks.pairing import Spread, differences, in_turn, ratios
from tests.benchmarks.results import PROCESSOR, TIME, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.homes import Home
    from tests.benchmarks.hosts import Subject
    from tests.benchmarks.running import Run

SLOWER, LARGER = 1.01, 1.0
LEFT_BEHIND = ("pkgs", "envs", ".cache")
FEWER = 3
"""The number of rounds is divided by this, because a run takes seconds."""


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows. Bare conda uses the public channel, and a plugin the protected one."""
    with bench.sandbox() as sandbox:
        trials = {bench.bare.name: _trial(bench.bare, bench.home(), channel=sandbox["public"])}
        for subject in bench.plugged:
            home = bench.holder(subject, repository=sandbox["repo"], token=_token(subject, sandbox))
            trials[subject.name] = _trial(subject, home, channel=sandbox["protected"])
        runs = in_turn(trials, rounds=max(bench.rounds // FEWER, 1))
    bare = runs[bench.bare.name]
    yield _row(bench.bare, "s", Spread.of(run.wall for run in bare))
    for subject in bench.plugged:
        ours = subject == bench.ours
        yield from _rows(subject, runs[subject.name], over=bare, limited=ours)


def _token(subject: Subject, sandbox: dict[str, Any]) -> str:
    """Return the API key for conda-auth, whose ``Bearer`` the service accepts for a key only."""
    return str(
        sandbox["token"]
        if subject.name in (ANACONDA_AUTH, "conda-token-plugin")
        else sandbox["api_key"]
    )


def _trial(subject: Subject, home: Home, *, channel: str) -> Callable[[], Run]:
    words = ("--yes", "--quiet", "--name", "x", "--override-channels", "-c", channel, "all")
    command = subject.conda("create", *words)

    def trial() -> Run:
        for folder in LEFT_BEHIND:
            rmtree(home.folder / folder, ignore_errors=True)
        return home.run(command)

    return trial


def _rows(subject: Subject, runs: list[Run], *, over: list[Run], limited: bool) -> Iterator[Row]:
    for unit, part, compare, limit in (
        (TIME, "wall", ratios, SLOWER),
        (PROCESSOR, "processor", ratios, SLOWER),
        ("MiB more", "memory", differences, LARGER),
    ):
        mine, bare = ([getattr(run, part) for run in some] for some in (runs, over))
        yield _row(subject, unit, compare(mine, over=bare), limit=limit if limited else None)


def _row(subject: Subject, unit: str, spread: Spread, *, limit: float | None = None) -> Row:
    what = "conda create, 200 packages"
    return Row(goal=5, subject=subject.name, what=what, unit=unit, spread=spread, limit=limit)

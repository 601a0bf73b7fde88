"""Measure goal 6: list tokens, inside conda and without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.homes import ANACONDA_AUTH
from tests.benchmarks.hosts import FLOOR
from tests.benchmarks.pairing import Spread, in_turn, ratios
from tests.benchmarks.results import TIME, Row
from tests.benchmarks.running import Run, timed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.homes import Home

OVER_HELP, MILLISECONDS, MEBIBYTES = 1.05, 120.0, 30.0
SCRIPT = "conda-token-plugin list"
NEEDED = (
    "import argparse, datetime, enum, hashlib, json, pathlib, platformdirs, typing, urllib.parse"
)
"""Modules of the standard library that any list of stored tokens needs."""


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows: ``conda token list`` relative to ``conda --help``, and the plain script."""
    ours, home = bench.ours, bench.holder(bench.ours)
    trials = {
        "help": _trial(ours.conda("--help"), home),
        "list": _trial(ours.conda("token", "list"), home),
        FLOOR: _trial([bench.floor.python, "-c", NEEDED], home),
        SCRIPT: _trial([str(ours.programs / "conda-token-plugin"), "list"], home),
    }
    for peer in (one for one in bench.peers if one.name == ANACONDA_AUTH):
        command = [str(peer.programs / "anaconda"), "token", "list"]
        trials[peer.name] = _trial(command, bench.holder(peer))
    runs = in_turn(trials, rounds=bench.rounds)
    yield from _ours(runs)
    yield from _alone(FLOOR, SCRIPT, runs[FLOOR])
    if ANACONDA_AUTH in runs:
        yield from _alone(ANACONDA_AUTH, "anaconda token list", runs[ANACONDA_AUTH])


def _trial(command: list[str], home: Home) -> Callable[[], Run]:
    return lambda: timed(command, variables=home.variables, cwd=home.folder)


def _ours(runs: dict[str, list[Run]]) -> Iterator[Row]:
    over_help = ratios(_walls(runs["list"]), over=_walls(runs["help"]))
    yield Row(
        goal=6,
        subject="conda-token-plugin",
        what="conda token list, over conda --help",
        unit=TIME,
        spread=over_help,
        limit=OVER_HELP,
    )
    limits = (MILLISECONDS, MEBIBYTES)
    yield from _alone("conda-token-plugin", SCRIPT, runs[SCRIPT], limits=limits)


def _alone(
    subject: str,
    what: str,
    runs: list[Run],
    *,
    limits: tuple[float | None, float | None] = (None, None),
) -> Iterator[Row]:
    times = Spread.of(_walls(runs)).times(1000)
    memory = Spread.of(run.memory for run in runs)
    yield Row(goal=6, subject=subject, what=what, unit="ms", spread=times, limit=limits[0])
    yield Row(goal=6, subject=subject, what=what, unit="MiB", spread=memory, limit=limits[1])


def _walls(runs: list[Run]) -> list[float]:
    return [run.wall for run in runs]

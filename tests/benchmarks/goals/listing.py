"""Measure goal 6: list tokens, inside conda and without it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks.homes import ANACONDA_AUTH
from tests.benchmarks.hosts import FLOOR, OURS
from tests.benchmarks.pairing import Spread, in_turn, ratios
from tests.benchmarks.results import TIME, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.running import Run

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
        "help": partial(home.run, ours.conda("--help")),
        "list": partial(home.run, ours.conda("token", "list")),
        SCRIPT: partial(home.run, [str(ours.programs / "conda-token-plugin"), "list"]),
        FLOOR: partial(home.run, [bench.floor.python, "-c", NEEDED]),
    }
    for peer in (one for one in bench.peers if one.name == ANACONDA_AUTH):
        command = [str(peer.programs / "anaconda"), "token", "list"]
        trials[peer.name] = partial(bench.holder(peer).run, command)
    runs = in_turn(trials, rounds=bench.rounds)
    over_help = ratios(_walls(runs["list"]), over=_walls(runs["help"]))
    what = "conda token list, over conda --help"
    yield Row(goal=6, subject=OURS, what=what, unit=TIME, spread=over_help, limit=OVER_HELP)
    yield from _alone(OURS, SCRIPT, runs[SCRIPT], limits=(MILLISECONDS, MEBIBYTES))
    yield from _alone(FLOOR, SCRIPT, runs[FLOOR])
    if ANACONDA_AUTH in runs:
        yield from _alone(ANACONDA_AUTH, "anaconda token list", runs[ANACONDA_AUTH])


def _alone(
    subject: str,
    what: str,
    runs: list[Run],
    *,
    limits: tuple[float | None, float | None] = (None, None),
) -> Iterator[Row]:
    row = partial(Row, goal=6, subject=subject, what=what)
    yield row(unit="ms", spread=Spread.of(_walls(runs)).times(1000), limit=limits[0])
    yield row(unit="MiB", spread=Spread.of(run.memory for run in runs), limit=limits[1])


def _walls(runs: list[Run]) -> list[float]:
    return [run.wall for run in runs]

"""Measure goal 9: open a file store and find a token by URL, with few and with many tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.goals.urls import COVERED, URLS
from tests.benchmarks.hosts import OURS
from tests.benchmarks.pairing import Spread, in_turn
from tests.benchmarks.results import Row
from tests.benchmarks.running import probed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.bench import Bench

FEW, MANY = 10, 1_000
URL = f"{COVERED}noarch/repodata.json"
OPENING = {FEW: 1.0, MANY: 10.0}
"""Limits in milliseconds, by the number of tokens."""
LOOK_UP = 5.0
"""Limit in microseconds, for any number of tokens."""


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows. Each store is opened in new processes, in turn."""
    trials = {f"{tokens:,} tokens": _trial(bench, tokens) for tokens in OPENING}
    found = in_turn(trials, rounds=bench.rounds)
    for said, limit in zip(trials, OPENING.values(), strict=True):
        series = {part: [one[part] for one in found[said]] for part in ("open", "match", "find")}
        yield _row(f"open the store of {said}, find one", "ms", series["open"], limit=limit)
        yield _row(f"a new folder among {said}", "µs", series["match"], limit=LOOK_UP)
        yield _row(f"a further URL, {said}", "µs", series["find"], limit=LOOK_UP)


def _trial(bench: Bench, tokens: int) -> Callable[[], dict[str, float]]:
    home = bench.holder(bench.ours, tokens=tokens)

    def trial() -> dict[str, float]:
        arguments = (URL, str(URLS))
        found: dict[str, float] = probed(
            bench.ours.python, "finding", *arguments, variables=home.variables, cwd=home.folder
        )
        return found

    return trial


def _row(what: str, unit: str, series: list[float], *, limit: float) -> Row:
    return Row(goal=9, subject=OURS, what=what, unit=unit, spread=Spread.of(series), limit=limit)

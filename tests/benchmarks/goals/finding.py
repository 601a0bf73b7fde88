"""Measure goal 9: open a file store and find a token by URL, with few and with many tokens."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks.goals.urls import COVERED, URLS
from tests.benchmarks.hosts import OURS
from tests.benchmarks.pairing import Spread, in_turn
from tests.benchmarks.results import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.bench import Bench

URL = f"{COVERED}noarch/repodata.json"
OPENING = {10: 1.0, 1_000: 10.0}
"""Limits in milliseconds, by the number of tokens."""
LOOK_UP = 5.0
"""Limit in microseconds, for any number of tokens."""


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows. Each store is opened in new processes, in turn."""
    homes = {tokens: bench.holder(bench.ours, tokens=tokens) for tokens in OPENING}
    trials = {
        f"{tokens:,} tokens": partial(home.probe, bench.ours, "finding", URL, str(URLS))
        for tokens, home in homes.items()
    }
    found = in_turn(trials, rounds=bench.rounds)
    for said, limit in zip(trials, OPENING.values(), strict=True):
        for part, what, unit, most in (
            ("open", f"open the store of {said}, find one", "ms", limit),
            ("match", f"a new folder among {said}", "µs", LOOK_UP),
            ("find", f"a further URL, {said}", "µs", LOOK_UP),
        ):
            spread = Spread.of(one[part] for one in found[said])
            yield Row(goal=9, subject=OURS, what=what, unit=unit, spread=spread, limit=most)

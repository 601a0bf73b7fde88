"""Measure goal 7: the requests of ``conda token install --org acme``, and the other time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.hosts import FLOOR, OURS
from tests.benchmarks.pairing import Spread, in_turn
from tests.benchmarks.results import Row
from tests.benchmarks.running import probed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.bench import Bench

REQUESTS, MILLISECONDS = 4.0, 50.0


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows, measured in a conda process from the first line to the exit code."""
    with bench.sandbox() as sandbox:
        home = bench.home(
            CONDA_TOKEN_SERVICE_URL=sandbox["service"],
            CONDA_TOKEN_REPO_URL=sandbox["repo"],
            ANACONDA_AUTH_API_KEY=sandbox["api_key"],
        )

        def trial() -> dict[str, float]:
            found: dict[str, float] = probed(
                bench.ours.python, "issue", variables=home.variables, cwd=home.folder
            )
            return found

        def floor() -> dict[str, float]:
            least: dict[str, float] = probed(
                bench.floor.python, "keep_safe", variables=home.variables, cwd=home.folder
            )
            return least

        runs = in_turn({"issue": trial, FLOOR: floor}, rounds=bench.rounds)
    found = runs["issue"]
    yield _row("requests", [one["requests"] for one in found], limit=REQUESTS)
    yield _row("ms beside its requests", [one["beside"] for one in found], limit=MILLISECONDS)
    least = [one["milliseconds"] for one in runs[FLOOR]]
    yield _row("ms beside its requests", least, subject=FLOOR)
    yield _row("ms of those for the disk", [one["disk"] for one in found])
    yield _row("ms in all", [one["milliseconds"] for one in found])


def _row(unit: str, series: list[float], *, subject: str = OURS, limit: float | None = None) -> Row:
    return Row(
        goal=7,
        subject=subject,
        what="conda token install --org acme --yes",
        unit=unit,
        spread=Spread.of(series),
        limit=limit,
    )

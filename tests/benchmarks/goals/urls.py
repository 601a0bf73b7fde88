"""Measure goals 3 and 4: the time that the first and each further URL add to bare conda."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks.homes import ORGANIZATION, REPOSITORY, Home
from tests.benchmarks.hosts import BARE, FLOOR, OURS, Unmeasurable
from tests.benchmarks.pairing import differences, in_turn
from tests.benchmarks.results import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.bench import Bench
    from tests.benchmarks.hosts import Subject

COVERED = f"{REPOSITORY}{ORGANIZATION}/main/"
ELSEWHERE = "https://conda.anaconda.org/conda-forge/"
BESIDE = f"{REPOSITORY}nobody/main/"
URLS = 400
SEVERAL = 10
"""Number of tokens. Each is an entry in the drop-in, which conda compares with every URL."""
EACH, UNCOVERED, FIRST = 20.0, 10.0, 3.0
"""Limits in microseconds, microseconds and milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A subject in a home that requests URLs below one folder."""

    subject: Subject
    home: Home
    what: str
    base: str = COVERED
    handler: str = "none"
    each: float | None = None
    first: float | None = None

    def costs(self) -> list[float]:
        """Return the microseconds of each of ``URLS`` URLs, in a new process."""
        found = self.home.probe(self.subject, "urls", self.base, str(URLS), self.handler)
        if found["authorized"] != self.authorized:
            raise Unmeasurable(f"{self.subject.name} treats {self.base} as it should not.")
        costs: list[float] = found["costs"]
        return costs

    @property
    def authorized(self) -> bool:
        """Whether the requests must have a token. If not, the measurement is wrong."""
        return self.base == COVERED and self.subject.name not in {BARE, FLOOR}


def measure(bench: Bench) -> Iterator[Row]:
    """Yield the rows. Each case is compared with bare conda and URLs below the same folder."""
    for base in (COVERED, ELSEWHERE, BESIDE):
        bare = Case(subject=bench.bare, home=bench.home(), what="", base=base)
        cases = [case for case in _cases(bench) if case.base == base]
        trials: dict[str, Callable[[], list[float]]] = {"bare": bare.costs}
        trials |= {f"{case.subject.name} {case.what}": case.costs for case in cases}
        found = in_turn(trials, rounds=bench.rounds)
        for case in cases:
            taken = found[f"{case.subject.name} {case.what}"]
            yield from _rows(case, taken, over=found["bare"])


def _cases(bench: Bench) -> Iterator[Case]:
    one = bench.holder(bench.ours)
    several = bench.holder(bench.ours, tokens=SEVERAL)
    yield Case(subject=bench.ours, home=one, what="a covered URL, 1 token", each=EACH, first=FIRST)
    yield Case(subject=bench.ours, home=several, what=f"a covered URL, {SEVERAL} tokens")
    for handler, base, what in (
        ("idle", COVERED, "a covered URL, 1 token"),
        ("conda's", BESIDE, "another organization's URL, 1 token"),
    ):
        home = bench.home()
        yield Case(subject=bench.floor, home=home, what=what, base=base, handler=handler)
    for peer in bench.peers:
        yield Case(subject=peer, home=bench.holder(peer), what="a covered URL, 1 token")
    for base, where in ((ELSEWHERE, "another host's"), (BESIDE, "another organization's")):
        for home, tokens, limit in (
            (one, "1 token", UNCOVERED),
            (several, f"{SEVERAL} tokens", None),
        ):
            what = f"{where} URL, {tokens}"
            yield Case(subject=bench.ours, home=home, what=what, base=base, each=limit)


def _rows(case: Case, taken: list[list[float]], *, over: list[list[float]]) -> Iterator[Row]:
    each = differences([median(one[1:]) for one in taken], over=[median(one[1:]) for one in over])
    first = differences([one[0] for one in taken], over=[one[0] for one in over]).times(1e-3)
    name, what = case.subject.name, case.what
    yield Row(goal=3, subject=name, what=what, unit="µs", spread=each, limit=case.each)
    if case.base == COVERED:
        what = what.replace("a covered URL", "the first URL")
        limit = case.first if case.subject.name == OURS else None
        yield Row(goal=4, subject=name, what=what, unit="ms", spread=first, limit=limit)

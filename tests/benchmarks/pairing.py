"""A B A B …: what is measured in turn, compared round by round. Pure.

Both members of a pair see the same load of the machine, so their ratio says more than
two medians of their own. The spread is given as quartiles, and how sure the median is
as the interval that holds it with 95 % confidence (the sign test: no assumption about the noise).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

T = TypeVar("T")
DOUBT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Where a series lies: its median, its quartiles, and how sure the median is."""

    median: float
    quartiles: tuple[float, float]
    sure: tuple[float, float]
    count: int

    @classmethod
    def of(cls, series: Iterable[float]) -> Spread:
        """The spread of a series of at least one number."""
        values = sorted(series)
        quarter = len(values) // 4
        skipped = _outside(len(values))
        return cls(
            median=median(values),
            quartiles=(values[quarter], values[-1 - quarter]),
            sure=(values[skipped], values[-1 - skipped]),
            count=len(values),
        )

    def times(self, factor: float) -> Spread:
        """The same in another unit."""
        low, high = self.quartiles
        return Spread(
            median=self.median * factor,
            quartiles=(low * factor, high * factor),
            sure=(self.sure[0] * factor, self.sure[1] * factor),
            count=self.count,
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "median": self.median,
            "quartiles": list(self.quartiles),
            "sure": list(self.sure),
            "count": self.count,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Spread:
        """Undo ``as_json``."""
        quartiles, sure = entry["quartiles"], entry["sure"]
        return cls(
            median=entry["median"],
            quartiles=(quartiles[0], quartiles[1]),
            sure=(sure[0], sure[1]),
            count=entry["count"],
        )


def in_turn(trials: Mapping[str, Callable[[], T]], *, rounds: int) -> dict[str, list[T]]:
    """Run all ``trials`` once a round, every other round backwards; one round before is not kept.

    The first run of anything fills caches of the disk and writes bytecode.
    """
    for trial in trials.values():
        trial()
    kept: dict[str, list[T]] = {name: [] for name in trials}
    for number in range(rounds):
        order = list(trials) if number % 2 == 0 else list(reversed(list(trials)))
        for name in order:
            kept[name].append(trials[name]())
    return kept


def ratios(series: Sequence[float], *, over: Sequence[float]) -> Spread:
    """Round by round, ``series`` divided by ``over``."""
    return Spread.of(b / a for a, b in zip(over, series, strict=True))


def differences(series: Sequence[float], *, over: Sequence[float]) -> Spread:
    """Round by round, ``series`` less ``over``."""
    return Spread.of(b - a for a, b in zip(over, series, strict=True))


def _outside(count: int) -> int:
    """How many values at each end lie outside of the median's interval; 0 for a few values.

    The most for which so many heads, or fewer, in ``count`` throws are too rare to be believed.
    """
    few, tail = 0, 0.0
    while few < count:
        tail += comb(count, few) / 2**count
        if tail > DOUBT / 2:
            break
        few += 1
    return max(few - 1, 0)

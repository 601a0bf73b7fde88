"""Compare trials that run in turn, round by round. Pure.

Both members of a pair run under the same load of the machine, so their ratio has less noise than
the ratio of two medians. The spread is given as quartiles, and the uncertainty of the median as
the interval that contains it with 95 % confidence (the sign test, which assumes nothing about the
noise).
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
    """The median of a series, its quartiles, and the interval that contains the true median."""

    median: float
    quartiles: tuple[float, float]
    sure: tuple[float, float]
    count: int

    @classmethod
    def of(cls, series: Iterable[float]) -> Spread:
        """Return the spread of a series of at least one number."""
        values = sorted(series)
        quarter = len(values) // 4
        skipped = _outside(len(values))
        return cls(
            median=median(values),
            quartiles=(values[quarter], values[-1 - quarter]),
            sure=(values[skipped], values[-1 - skipped]),
            count=len(values),
        )

    def can_be(self, nothing: float) -> bool:
        """Return whether the series cannot be told from ``nothing``, or is better than that."""
        return self.sure[0] <= nothing or self.median <= nothing

    def times(self, factor: float) -> Spread:
        """Return the same spread in another unit."""
        (low, high), (least, most) = self.quartiles, self.sure
        return Spread(
            median=self.median * factor,
            quartiles=(low * factor, high * factor),
            sure=(least * factor, most * factor),
            count=self.count,
        )

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Spread:
        """Return the spread of which ``entry`` has the fields."""
        pairs = {name: tuple(entry[name]) for name in ("quartiles", "sure")}
        return cls(**{**entry, **pairs})


def in_turn(trials: Mapping[str, Callable[[], T]], *, rounds: int) -> dict[str, list[T]]:
    """Run all ``trials`` in each round, in every other round backwards.

    The results of one round before the first are dropped, because the first run of a program
    fills the caches of the disk and writes bytecode.
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
    """Return the spread of ``series`` divided by ``over``, round by round."""
    return Spread.of(b / a for a, b in zip(over, series, strict=True))


def differences(series: Sequence[float], *, over: Sequence[float]) -> Spread:
    """Return the spread of ``series`` minus ``over``, round by round."""
    return Spread.of(b - a for a, b in zip(over, series, strict=True))


def _outside(count: int) -> int:
    """Return how many values at each end are outside of the median's interval.

    This is the largest number for which at most as many heads in ``count`` throws of a coin have
    a probability below half of ``DOUBT``; 0 if there are only a few values.
    """
    few, tail = 0, 0.0
    while few < count:
        tail += comb(count, few) / 2**count
        if tail > DOUBT / 2:
            break
        few += 1
    return max(few - 1, 0)

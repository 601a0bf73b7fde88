"""The results as rows, and their conversion to JSON and back."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.benchmarks.pairing import Spread

if TYPE_CHECKING:
    from collections.abc import Mapping

GOALS = {
    1: "whole commands",
    2: "start-up, in the process",
    3: "each URL",
    4: "the first covered request",
    5: "conda create, 200 packages",
    6: "listing tokens",
    7: "issuing a token",
    8: "32 threads at once",
    9: "finding a token in the store",
    10: "what a person waits for",
}

TIME = "× time"  # noqa: RUF001  # the sign that is meant
PROCESSOR = "× processor time"  # noqa: RUF001  # the sign that is meant
INSTRUCTIONS = "× instructions"  # noqa: RUF001  # the sign that is meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured number of one subject, with its unit and its limit."""

    goal: int
    subject: str
    what: str
    unit: str
    spread: Spread
    limit: float | None = None

    @property
    def verdict(self) -> str:
        """The comparison with the limit: "met", "missed" or "unsure"; empty without a limit.

        Unsure: the median is over the limit, and the interval that contains the true median is not.
        """
        if self.limit is None:
            return ""
        if self.spread.median <= self.limit:
            return "met"
        return "unsure" if self.spread.sure[0] <= self.limit else "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All rows of a run, and the machine that it ran on."""

    machine: Mapping[str, str]
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    loads: Mapping[str, float] = field(default_factory=dict)
    """The load average of one minute at the end of the measurements of a goal."""

    def joined(self, other: Results) -> Results:
        """Return these results with the goals of ``other`` replaced by its rows."""
        anew = {row.goal for row in other.rows}
        rows = (*(row for row in self.rows if row.goal not in anew), *other.rows)
        return replace(
            other,
            machine={**self.machine, **other.machine},
            rows=tuple(sorted(rows, key=lambda row: row.goal)),
            notes=tuple(dict.fromkeys((*self.notes, *other.notes))),
            loads={**self.loads, **other.loads},
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        rows = [{**asdict(row), "verdict": row.verdict} for row in self.rows]
        return {**asdict(self), "rows": rows}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Results:
        """Return the results that ``as_json`` converted."""
        rows = tuple(
            Row(
                **{name: entry[name] for name in entry if name not in {"verdict", "spread"}},
                spread=Spread.from_json(entry["spread"]),
            )
            for entry in document["rows"]
        )
        return cls(**{**document, "rows": rows, "notes": tuple(document["notes"])})

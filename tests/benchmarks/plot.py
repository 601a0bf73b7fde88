"""Results as a picture: bars, ours and the peers', as SVG written by hand.

Three panels: whole commands as a multiple of bare conda, what the first covered URL of a process
adds to it, and what each further one does. The thin line of a bar reaches from one quartile
to the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.benchmarks.results import TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.benchmarks.pairing import Spread
    from tests.benchmarks.results import Results, Row

WIDTH, LABELS, RIGHT = 760, 230, 110
BAR, GAP, BETWEEN, TITLE = 14, 2, 8, 44
COLOURS = {"conda-token-plugin": "#2a9d5c", "anaconda-auth": "#d9822b", "conda-auth": "#4c78c9"}
COMMANDS, EACH_URL, FIRST_URL, CREATE = 1, 3, 4, 5
"""The goals that are shown."""
GREY, BLACK = "#888888", "#222222"
FONT = "font-family='system-ui, sans-serif'"
PLAIN, LABEL = "font-size='12'", "font-size='12' text-anchor='end'"
HEADING = "font-size='15' font-weight='600'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: of what, whose it is, where it ends and between which ends, and its number."""

    label: str
    subject: str
    spread: Spread
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Bars on one scale, from ``zero`` on; bars of one label stand together."""

    title: str
    bars: Sequence[Bar]
    zero: float = 0.0

    @property
    def tops(self) -> list[int]:
        """The upper edge of each bar, in pixels from the panel's own."""
        tops = [TITLE]
        for before, bar in pairwise(self.bars):
            tops.append(tops[-1] + BAR + (GAP if bar.label == before.label else BETWEEN))
        return tops

    @property
    def height(self) -> int:
        """In pixels."""
        return self.tops[-1] + BAR + BETWEEN

    def drawn(self, top: int) -> str:
        """The panel with its upper edge at ``top``."""
        most = max(bar.spread.quartiles[1] for bar in self.bars)
        reach = max(most - self.zero, 1e-9)

        def x(value: float) -> float:
            return LABELS + max(value - self.zero, 0) / reach * (WIDTH - LABELS - RIGHT)

        labels = ["", *(bar.label for bar in self.bars)]
        parts = [_text(self.title, x=12, y=top + 26, style=HEADING)]
        for bar, before, below in zip(self.bars, labels, self.tops, strict=False):
            if bar.label != before:
                parts.append(_text(bar.label, x=LABELS - 8, y=top + below + 11, style=LABEL))
            parts.append(_bar(bar, top + below, x))
        ends = f"M{LABELS} {top + TITLE - GAP}V{top + self.height - GAP}"
        return "\n".join([*parts, f"<path d='{ends}' stroke='{GREY}'/>"])


def svg(results: Results) -> str:
    """The picture, or nothing but its frame where nothing of it was measured."""
    panels = [panel for panel in _panels(results) if panel.bars]
    drawn, top = [], 4
    for panel in panels:
        drawn.append(panel.drawn(top))
        top += panel.height
    subjects = dict.fromkeys(bar.subject for panel in panels for bar in panel.bars)
    drawn.append(_legend(subjects, top + BAR))
    height = top + 2 * BAR
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img'"
    title = "<title>What each plugin adds to conda</title>"
    frame = f"<rect width='{WIDTH}' height='{height}' rx='8' fill='#ffffff'/>"
    return "\n".join([f"{head} {FONT}>", title, frame, *drawn, "</svg>", ""])


def _panels(results: Results) -> tuple[Panel, ...]:
    rows = [row for row in results.rows if row.subject in COLOURS]
    commands = [row for row in rows if row.unit == TIME and row.goal in (COMMANDS, CREATE)]
    first = [row for row in rows if row.goal == FIRST_URL]
    each = [row for row in rows if row.goal == EACH_URL and row.what.startswith("a covered")]
    return (
        Panel(
            title="Time of a whole command (bare conda = 1)",
            bars=[_of(row, f"{row.spread.median:.2f} {TIME[0]}") for row in commands],
            zero=1.0,
        ),
        Panel(
            title="Time that the first covered URL of a process adds",
            bars=[_of(row, _milliseconds(row.spread.median)) for row in _grouped(first)],
        ),
        Panel(
            title="Time that each further covered URL adds",
            bars=[_of(row, _milliseconds(row.spread.median / 1000)) for row in _grouped(each)],
        ),
    )


def _grouped(rows: Iterable[Row]) -> list[Row]:
    """Rows of one label side by side, in the order in which labels come up."""
    held = list(rows)
    labels = list(dict.fromkeys(row.what for row in held))
    return sorted(held, key=lambda row: labels.index(row.what))


def _of(row: Row, shown: str) -> Bar:
    return Bar(label=row.what, subject=row.subject, spread=row.spread, shown=shown)


def _milliseconds(value: float) -> str:
    return f"{value:+.1f} ms" if abs(value) >= 1 else f"{value * 1000:+.0f} µs"


def _bar(bar: Bar, y: int, x: Callable[[float], float]) -> str:
    low, high = bar.spread.quartiles
    end, middle = x(bar.spread.median), y + BAR / 2
    size = f"width='{max(end - LABELS, 1.5):.1f}' height='{BAR}'"
    return "\n".join(
        [
            f"<rect x='{LABELS}' y='{y}' {size} fill='{COLOURS[bar.subject]}'/>",
            f"<path d='M{x(low):.1f} {middle}H{x(high):.1f}' stroke='{BLACK}'/>",
            _text(bar.shown, x=max(end, x(high)) + 6, y=y + 11),
        ]
    )


def _legend(subjects: Iterable[str], y: int) -> str:
    parts, x = [], LABELS
    for subject in subjects:
        box = f"<rect x='{x}' y='{y - 10}' width='12' height='12' fill='{COLOURS[subject]}'/>"
        parts += [box, _text(subject, x=x + 18, y=y)]
        x += 170
    return "\n".join(parts)


def _text(text: str, *, x: float, y: float, style: str = PLAIN) -> str:
    place = f"x='{x:.1f}' y='{y:.1f}'"
    return f"<text {place} {style} fill='{BLACK}'>{escape(text)}</text>"

"""Results as a picture: bars, ours and the peers', as SVG written by hand.

Two panels: whole commands as a multiple of bare conda, and what each covered URL adds to it.
The colours are readable on a white and on a dark page.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from tests.benchmarks.results import TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.benchmarks.pairing import Spread
    from tests.benchmarks.results import Results, Row

WIDTH, LABELS, RIGHT = 760, 250, 120
BAR, GAP, TITLE = 16, 6, 44
COLOURS = {"conda-token-plugin": "#2a9d5c", "anaconda-auth": "#d9822b", "conda-auth": "#4c78c9"}
COMMANDS, EACH_URL, CREATE = 1, 3, 5
"""The goals that are shown."""
TIMES = TIME[0]
GREY = "#888888"
LABEL = "font-size='12' text-anchor='end'"
HEADING = "font-size='15' font-weight='600'"
FONT = "font-family='system-ui, sans-serif'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: a label, whose it is, how long it is and between which lengths, and its number."""

    label: str
    subject: str
    spread: Spread
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Bars on one scale, from ``zero`` on."""

    title: str
    bars: Sequence[Bar]
    zero: float

    @property
    def height(self) -> int:
        """In pixels."""
        return TITLE + len(self.bars) * (BAR + GAP) + GAP

    def drawn(self, top: int) -> str:
        """The panel with its upper edge at ``top``."""
        most = max(bar.spread.quartiles[1] for bar in self.bars)
        room = WIDTH - LABELS - RIGHT
        reach = max(most - self.zero, 1e-9)

        def x(value: float) -> float:
            return LABELS + max(value - self.zero, 0) / reach * room

        title = _text(self.title, x=12, y=top + 26, style=HEADING)
        first = top + TITLE
        rows = [_bar(bar, first + i * (BAR + GAP), x) for i, bar in enumerate(self.bars)]
        axis = f"<path d='M{LABELS} {first - GAP}V{top + self.height - GAP}' stroke='{GREY}'/>"
        return "\n".join([title, *rows, axis])


def svg(results: Results) -> str:
    """The picture, or nothing but its frame where nothing of it was measured."""
    panels = [panel for panel in (_commands(results), _urls(results)) if panel.bars]
    drawn, top = [], 8
    for panel in panels:
        drawn.append(panel.drawn(top))
        top += panel.height + GAP
    subjects = dict.fromkeys(bar.subject for panel in panels for bar in panel.bars)
    drawn.append(_legend(subjects, top + BAR))
    height = top + 2 * BAR + GAP
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img'"
    title = "<title>What a plugin adds to conda</title>"
    frame = f"<rect width='{WIDTH}' height='{height}' rx='8' fill='#ffffff'/>"
    return "\n".join([f"{head} {FONT}>", title, frame, *drawn, "</svg>", ""])


def _commands(results: Results) -> Panel:
    rows = [row for row in results.rows if row.unit == TIME and row.goal in (COMMANDS, CREATE)]
    bars = [_of(row, row.what, f"{row.spread.median:.3f} {TIMES}") for row in rows if _known(row)]
    return Panel(title="Time of whole commands, bare conda = 1", bars=bars, zero=1.0)


def _urls(results: Results) -> Panel:
    rows = [
        row for row in results.rows if row.goal == 3 and row.what.startswith("a covered URL")
    ]  # goal 3
    bars = [_of(row, row.what, _microseconds(row.spread.median)) for row in rows if _known(row)]
    return Panel(title="Time added to each new URL, over bare conda", bars=bars, zero=0.0)


def _known(row: Row) -> bool:
    return row.subject in COLOURS


def _of(row: Row, label: str, shown: str) -> Bar:
    return Bar(label=label, subject=row.subject, spread=row.spread, shown=shown)


def _microseconds(value: float) -> str:
    return f"{value / 1000:+.1f} ms" if abs(value) >= 1000 else f"{value:+.0f} µs"  # from µs to ms


def _bar(bar: Bar, y: int, x: Callable[[float], float]) -> str:
    low, high = bar.spread.quartiles
    end, middle = x(bar.spread.median), y + BAR / 2
    size = f"width='{max(end - LABELS, 1.5):.1f}' height='{BAR}'"
    return "\n".join(
        [
            _text(bar.label, x=LABELS - 8, y=y + 12, style=LABEL),
            f"<rect x='{LABELS}' y='{y}' {size} fill='{COLOURS[bar.subject]}'/>",
            f"<path d='M{x(low):.1f} {middle}H{x(high):.1f}' stroke='#222222'/>",
            _text(bar.shown, x=max(end, x(high)) + 6, y=y + 12),
        ]
    )


def _legend(subjects: Iterable[str], y: int) -> str:
    parts, x = [], LABELS
    for subject in subjects:
        parts.append(
            f"<rect x='{x}' y='{y - 10}' width='12' height='12' fill='{COLOURS[subject]}'/>"
        )
        parts.append(_text(subject, x=x + 18, y=y))
        x += 170
    return "\n".join(parts)


def _text(text: str, *, x: float, y: float, style: str = "font-size='12'") -> str:
    place = f"x='{x:.1f}' y='{y:.1f}'"
    return f"<text {place} {style} fill='#222222'>{escape(text)}</text>"

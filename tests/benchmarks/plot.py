"""Draw results as bars, one colour for each plugin: SVG written by hand.

Three panels: whole commands as a multiple of bare conda, what the first covered URL of a process
adds to it, and what each further one does. The thin line of a bar reaches from the first quartile
to the third. What cannot be told from nothing is drawn as nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.results import TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.benchmarks.pairing import Spread
    from tests.benchmarks.results import Results, Row

WIDTH, LABELS, RIGHT = 760, 230, 150
BAR, GAP, BETWEEN, TITLE = 14, 2, 8, 44
COMMANDS, EACH_URL, FIRST_URL, CREATE = 1, 3, 4, 5
"""The goals that are shown."""
FONT = "font-family='system-ui, sans-serif'"
PLAIN, LABEL = "font-size='12'", "font-size='12' text-anchor='end'"
HEADING = "font-size='15' font-weight='600'"
WHISKERS = "Thin lines: the middle half of all rounds. Shorter bars are better."
SUBJECTS = ("conda-token-plugin", "anaconda-auth", "conda-auth")


class Theme(NamedTuple):
    """Colours of the picture, and of the bars of each plugin."""

    background: str
    text: str
    axis: str
    bars: tuple[str, ...]

    def bar(self, subject: str) -> str:
        """Return the colour of the bars of `subject`."""
        return self.bars[SUBJECTS.index(subject)]


THEMES = {
    "light": Theme("#ffffff", "#222222", "#888888", ("#2a9d5c", "#d9822b", "#4c78c9")),
    "dark": Theme("#0d1117", "#e6edf3", "#8b949e", ("#3fb950", "#e3a04f", "#79a6f2")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: its label, the plugin, the numbers that it shows, and the text at its end."""

    label: str
    subject: str
    spread: Spread
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Bars on one scale that begins at ``zero``; bars with the same label are adjacent."""

    title: str
    bars: Sequence[Bar]
    zero: float = 0.0

    @property
    def tops(self) -> list[int]:
        """The upper edge of each bar, in pixels from that of the panel."""
        tops = [TITLE]
        for before, bar in pairwise(self.bars):
            tops.append(tops[-1] + BAR + (GAP if bar.label == before.label else BETWEEN))
        return tops

    @property
    def height(self) -> int:
        """The height in pixels."""
        return self.tops[-1] + BAR + BETWEEN

    def drawn(self, top: int, *, theme: Theme) -> str:
        """Return the panel with its upper edge at ``top``."""
        most = max(bar.spread.quartiles[1] for bar in self.bars)
        reach = max(most - self.zero, 1e-9)

        def x(value: float) -> float:
            return LABELS + max(value - self.zero, 0) / reach * (WIDTH - LABELS - RIGHT)

        labels = ["", *(bar.label for bar in self.bars)]
        parts = [_text(self.title, x=12, y=top + 26, style=HEADING, theme=theme)]
        for bar, before, below in zip(self.bars, labels, self.tops, strict=False):
            if bar.label != before:
                place = {"x": LABELS - 8, "y": top + below + 11}
                parts.append(_text(bar.label, **place, style=LABEL, theme=theme))
            value = self.zero if bar.spread.can_be(self.zero) else bar.spread.median
            parts.append(_bar(bar, top + below, x, end=x(value), theme=theme))
        ends = f"M{LABELS} {top + TITLE - GAP}V{top + self.height - GAP}"
        return "\n".join([*parts, f"<path d='{ends}' stroke='{theme.axis}'/>"])


def svg(results: Results, *, theme: Theme) -> str:
    """Return the picture, or only its frame if nothing of it was measured."""
    panels = [panel for panel in _panels(results) if panel.bars]
    drawn, top = [], 4
    for panel in panels:
        drawn.append(panel.drawn(top, theme=theme))
        top += panel.height
    subjects = dict.fromkeys(bar.subject for panel in panels for bar in panel.bars)
    drawn.append(_legend(subjects, top + BAR, theme=theme))
    drawn.append(_text(WHISKERS, x=LABELS, y=top + 2 * BAR + BETWEEN, theme=theme))
    height = top + 3 * BAR + BETWEEN
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img'"
    title = "<title>What each plugin adds to conda</title>"
    inner = f"x='0.5' y='0.5' width='{WIDTH - 1}' height='{height - 1}' rx='8'"
    border = f"stroke='{theme.axis}' stroke-opacity='0.4'"
    frame = f"<rect {inner} fill='{theme.background}' {border}/>"
    return "\n".join([f"{head} {FONT}>", title, frame, *drawn, "</svg>", ""])


def _panels(results: Results) -> tuple[Panel, ...]:
    rows = [row for row in results.rows if row.subject in SUBJECTS]
    commands = [row for row in rows if row.unit == TIME and row.goal in (COMMANDS, CREATE)]
    first = [row for row in rows if row.goal == FIRST_URL]
    each = [row for row in rows if row.goal == EACH_URL and row.what.startswith("a covered")]
    return (
        Panel(
            title="Time of a whole command (bare conda = 1)",
            bars=[_of(row, _multiple(row.spread)) for row in commands],
            zero=1.0,
        ),
        Panel(
            title="Time that the first covered URL of a process adds",
            bars=[_of(row, _difference(row.spread)) for row in _grouped(first)],
        ),
        Panel(
            title="Time that each further covered URL adds",
            bars=[_of(row, _difference(row.spread.times(1e-3))) for row in _grouped(each)],
        ),
    )


def _grouped(rows: Iterable[Row]) -> list[Row]:
    """Return the rows with the same label together, in the order of the first of each label."""
    listed = list(rows)
    labels = list(dict.fromkeys(row.what for row in listed))
    return sorted(listed, key=lambda row: labels.index(row.what))


def _of(row: Row, shown: str) -> Bar:
    return Bar(label=row.what, subject=row.subject, spread=row.spread, shown=shown)


def _multiple(spread: Spread) -> str:
    """Return a multiple of bare conda as text; 1 with its interval if it can be 1."""
    if spread.can_be(1.0):
        low, high = spread.quartiles
        return f"1 {TIME[0]} ({low:.2f} to {high:.2f})"
    return f"{spread.median:.2f} {TIME[0]}"


def _difference(spread: Spread) -> str:
    """Return milliseconds as text; 0 with their interval if they can be 0."""
    if spread.can_be(0.0):
        low, high = (value * 1000 for value in spread.quartiles)
        return f"0 ({low:.0f} to {high:.0f} µs)"
    value = spread.median
    return f"+{value:.1f} ms" if value >= 1 else f"+{value * 1000:.0f} µs"


def _bar(bar: Bar, y: int, x: Callable[[float], float], *, end: float, theme: Theme) -> str:
    low, high = bar.spread.quartiles
    middle = y + BAR / 2
    size = f"width='{max(end - LABELS, 1.5):.1f}' height='{BAR}'"
    return "\n".join(
        [
            f"<rect x='{LABELS}' y='{y}' {size} fill='{theme.bar(bar.subject)}'/>",
            f"<path d='M{x(low):.1f} {middle}H{x(high):.1f}' stroke='{theme.text}'/>",
            _text(bar.shown, x=max(end, x(high)) + 6, y=y + 11, theme=theme),
        ]
    )


def _legend(subjects: Iterable[str], y: int, *, theme: Theme) -> str:
    parts, x = [], LABELS
    for subject in subjects:
        place = f"x='{x}' y='{y - 10}' width='12' height='12'"
        parts.append(f"<rect {place} fill='{theme.bar(subject)}'/>")
        parts.append(_text(subject, x=x + 18, y=y, theme=theme))
        x += 170
    return "\n".join(parts)


def _text(text: str, *, x: float, y: float, theme: Theme, style: str = PLAIN) -> str:
    place = f"x='{x:.1f}' y='{y:.1f}'"
    return f"<text {place} {style} fill='{theme.text}'>{escape(text)}</text>"

"""Write results as text: a table for the terminal, and tables in Markdown for the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.results import GOALS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.pairing import Spread
    from tests.benchmarks.results import Results, Row

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
HEADS = ("goal", "what", "of", "median", "quartiles", "at most", "verdict")


def text(results: Results) -> str:
    """Return a table with aligned columns, and the machine that it was measured on."""
    table = [HEADS, *(_cells(row) for row in results.rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEADS))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in table]
    return "\n".join([*(line.rstrip() for line in lines), "", *_remarks(results)])


def markdown(results: Results) -> str:
    """Return a table with a heading for each goal."""
    parts = []
    for goal, name in GOALS.items():
        rows = [_cells(row)[1:] for row in results.rows if row.goal == goal]
        if rows:
            head = [HEADS[1:], tuple("---" for _ in HEADS[1:])]
            lines = [f"| {' | '.join(cells)} |" for cells in (*head, *rows)]
            title = f"{name[:1].upper()}{name[1:]}"
            parts += [f"**{goal}. {title}**", "\n".join(lines)]
    return "\n\n".join([*parts, *_remarks(results)])


def write_into(path: Path, text: str) -> None:
    """Replace the text between the two marks of the file at ``path``."""
    document = path.read_text("utf-8")
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")


def _cells(row: Row) -> tuple[str, ...]:
    limit = "" if row.limit is None else _number(row.limit)
    return (
        str(row.goal),
        row.what,
        row.subject,
        f"{_median(row.spread)} {row.unit}",
        _quartiles(row.spread),
        limit,
        row.verdict,
    )


def _median(spread: Spread) -> str:
    """Return the median as text; 0 for a difference that can be nothing: no time is negative."""
    return "0" if spread.can_be(0.0) else _number(spread.median)


def _quartiles(spread: Spread) -> str:
    if spread.count == 1:
        return ""
    low, high = spread.quartiles
    return f"{_number(low)} to {_number(high)} ({spread.count})"


def _number(value: float) -> str:
    """Return ``value`` with about three digits."""
    size = abs(value)
    if size == int(size) and size < 1000:  # counts
        return f"{value:.0f}"
    digits = next((d for bound, d in ((0.5, 3), (2, 3), (10, 2), (100, 1)) if size < bound), 0)
    return f"{value:,.{digits}f}"


def _remarks(results: Results) -> list[str]:
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    loads = ", ".join(f"{goal}: {load:.1f}" for goal, load in results.loads.items())
    return [f"Measured on {machine}. Load average by goal: {loads}.", *results.notes]

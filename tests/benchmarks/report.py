"""Results as text: a table for the terminal, and one in Markdown for the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.hosts import FLOOR, OURS, PEERS
from tests.benchmarks.results import GOALS, PROCESSOR

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.pairing import Spread
    from tests.benchmarks.results import Results, Row

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
HEADS = ("goal", "what", "of", "median", "quartiles", "at most", "verdict")


def text(results: Results) -> str:
    """A table with aligned columns, and what it was measured on."""
    table = [HEADS, *(_cells(row) for row in results.rows)]
    widths = [max(len(line[i]) for line in table) for i in range(len(HEADS))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in table]
    return "\n".join([*(line.rstrip() for line in lines), "", *_remarks(results)])


def markdown(results: Results) -> str:
    """A table a goal, with a heading each."""
    parts = []
    for goal, name in GOALS.items():
        rows = [_cells(row)[1:] for row in results.rows if row.goal == goal]
        if rows:
            head = [HEADS[1:], tuple("---" for _ in HEADS[1:])]
            lines = [f"| {' | '.join(cells)} |" for cells in (*head, *rows)]
            parts += [f"**{goal}. {name.capitalize()}**", "\n".join(lines)]
    return "\n\n".join([*parts, *_remarks(results)])


def summary(results: Results) -> str:
    """One table in Markdown: what has a limit, and the same of the floor and of each peer."""
    others = (FLOOR, *PEERS)
    heads = ("what", "this plugin", "at most", "verdict", *others)
    medians = {(r.subject, r.what, r.unit): _number(r.spread.median) for r in results.rows}
    lines = [heads, tuple("---" for _ in heads)]
    for row in results.rows:
        if row.subject == OURS and row.limit is not None and row.unit != PROCESSOR:
            theirs = (medians.get((one, row.what, row.unit), "") for one in others)
            _, what, _, _, _, limit, verdict = _cells(row)
            ours = medians[OURS, row.what, row.unit]
            lines.append((f"{what}: {row.unit}", ours, limit, verdict, *theirs))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write_into(path: Path, text: str) -> None:
    """Put ``text`` between the two marks of the file at ``path``."""
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
        f"{_number(row.spread.median)} {row.unit}",
        _quartiles(row.spread),
        limit,
        row.verdict,
    )


def _quartiles(spread: Spread) -> str:
    if spread.count == 1:
        return ""
    low, high = spread.quartiles
    return f"{_number(low)} to {_number(high)} ({spread.count})"


def _number(value: float) -> str:
    """Enough digits to compare, and no more."""
    size = abs(value)
    if size == int(size) and size < 1000:  # counts
        return f"{value:.0f}"
    digits = next((d for bound, d in ((0.5, 3), (2, 3), (10, 2), (100, 1)) if size < bound), 0)
    return f"{value:,.{digits}f}"


def _remarks(results: Results) -> list[str]:
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    loads = ", ".join(f"{goal}: {load:.1f}" for goal, load in results.loads.items())
    return [f"Measured on {machine}. Load average by goal: {loads}.", *results.notes]

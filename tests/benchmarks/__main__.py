"""Measure what the plugin costs: ``python -m tests.benchmarks``, with the peers ``--peers``.

It needs a conda on PATH. It installs what it measures into virtual environments, which it deletes
at the end. Only the standard library is needed to run it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks import floor, plot, report
from tests.benchmarks.bench import Bench
from tests.benchmarks.hosts import (
    PEERS,
    REPOSITORY,
    Host,
    Subject,
    Unmeasurable,
    layered,
    own_subjects,
)
from tests.benchmarks.instructions import countable
from tests.benchmarks.results import GOALS, Results, Row

GOALS_OF = {
    "commands": (1,),
    "hooks": (2,),
    "urls": (3, 4),
    "create": (5,),
    "listing": (6,),
    "issuing": (7,),
    "threads": (8,),
    "finding": (9,),
    "waiting": (10,),
}
"""The goals that each module of ``tests.benchmarks.goals`` measures."""
Measure = Callable[[Bench], Iterator[Row]]


def main() -> int:
    """Measure, or read earlier results; print them, and update the documentation if asked to."""
    options = _options()
    earlier = _read(options.results) if options.results else None
    try:
        results = earlier if options.redraw and earlier else _measured(options, earlier=earlier)
    except Unmeasurable as missing:
        sys.stderr.write(f"error: {missing}\n")
        return 1
    document = json.dumps(results.as_json(), indent=1, ensure_ascii=False)
    if options.results:
        options.results.write_text(f"{document}\n", "utf-8")
    sys.stdout.write(f"{document if options.json else report.text(results)}\n")
    if options.write:
        _write(results)
    return 0


def _write(results: Results) -> None:
    docs = REPOSITORY / "docs"
    for name, theme in plot.THEMES.items():
        picture = plot.svg(results, theme=theme)
        (docs / f"benchmarks-{name}.svg").write_text(picture, "utf-8")
    report.write_into(docs / "benchmarks.md", report.markdown(results))


def _options() -> argparse.Namespace:
    goals = ", ".join(f"{number} {name}" for number, name in GOALS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=(__doc__ or "").replace("``", "")
    )
    add = parser.add_argument
    add("--json", action="store_true", help="print JSON instead of a table")
    add("--peers", action="store_true", help=f"measure {' and '.join(PEERS)}, too")
    add("--peer", action="append", default=[], metavar="NAME=PATH", help="a peer's source folder")
    add("--only", type=_numbers, default=tuple(GOALS), metavar="N,…", help=f"of these: {goals}")
    add("--rounds", type=int, default=21, metavar="N", help="how often each is run (21)")
    add("--no-instructions", action="store_true", help="do not count instructions (valgrind)")
    add(
        "--results",
        type=Path,
        metavar="FILE",
        help="store the results there; --only replaces its goals",
    )
    add("--redraw", action="store_true", help="measure nothing; use the results in --results")
    add("--write", action="store_true", help="write the pictures and tables in docs")
    return parser.parse_args()


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def _read(path: Path) -> Results | None:
    return Results.from_json(json.loads(path.read_text("utf-8"))) if path.is_file() else None


def _measured(options: argparse.Namespace, *, earlier: Results | None) -> Results:
    host = Host.on_path()
    with TemporaryDirectory(prefix="benchmarks-") as folder:
        scratch = Path(folder)
        _say(f"making environments over conda {host.version}")
        bare, ours = own_subjects(host, under=scratch)
        peers, notes = _peers(options, host=host, under=scratch)
        bench = Bench(
            host=host,
            bare=bare,
            floor=floor.made(ours, host=host, under=scratch),
            ours=ours,
            peers=peers,
            scratch=scratch,
            rounds=options.rounds,
            valgrind=countable() and not options.no_instructions,
        )
        results = _run(bench, options.only)
    results = Results(machine=_machine(bench), rows=results.rows, notes=notes, loads=results.loads)
    return earlier.joined(results) if earlier else results


def _run(bench: Bench, only: tuple[int, ...]) -> Results:
    rows: list[Row] = []
    loads: dict[str, float] = {}
    for name in (name for name in GOALS_OF if set(GOALS_OF[name]).intersection(only)):
        _say(f"measuring {name}")
        measure: Measure = import_module(f"tests.benchmarks.goals.{name}").measure
        rows += measure(bench)
        loads |= {str(goal): round(os.getloadavg()[0], 2) for goal in GOALS_OF[name]}
    return Results(machine={}, rows=tuple(sorted(rows, key=lambda row: row.goal)), loads=loads)


def _peers(
    options: argparse.Namespace, *, host: Host, under: Path
) -> tuple[tuple[Subject, ...], tuple[str, ...]]:
    """Return the peers that can be installed, and a note for each that cannot."""
    places: dict[str, str] = dict(item.split("=", 1) for item in options.peer)
    made = [
        _peer(name, places.get(name, name), host=host, under=under)
        for name in (PEERS if options.peers else places)
    ]
    subjects = tuple(one for one in made if isinstance(one, Subject))
    return subjects, tuple(one for one in made if isinstance(one, str))


def _peer(name: str, requirement: str, *, host: Host, under: Path) -> Subject | str:
    try:
        return layered(name, requirement, host=host, under=under)
    except Unmeasurable as missing:  # it is not on the package index
        return f"{name} was not measured: {missing}"


def _machine(bench: Bench) -> dict[str, str]:
    versions = {one.name: one.version for one in (bench.ours, *bench.peers)}
    return {
        "conda": bench.host.version,
        "Python": bench.host.python_version,
        **versions,
        platform.system(): platform.machine(),
        "processors": str(os.cpu_count()),
    }


def _say(line: str) -> None:
    sys.stderr.write(f"{line} …\n")


if __name__ == "__main__":
    sys.exit(main())

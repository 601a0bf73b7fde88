"""Counting, inside of a process: files opened, ``stat`` calls, modules, function calls.

The script of a budget runs in a process of its own, so that nothing is loaded before it:
``counts(script, …)`` runs it, and the dictionary that it gives to ``report`` comes back.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
LONGEST_RUN = 120
"""Seconds after which a script is taken to hang."""


@dataclass(slots=True)
class Traffic:
    """The paths that were opened, and those that were asked about, while it was watched."""

    opened: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def opened_below(self, folder: str) -> list[str]:
        """Names of opened files below ``folder``."""
        return [name.removeprefix(folder)[1:] for name in self.opened if name.startswith(folder)]

    def asked_below(self, folder: str) -> list[str]:
        """Names about which ``os.stat`` or ``os.lstat`` was asked, at or below ``folder``."""
        return [name.removeprefix(folder) for name in self.asked if name.startswith(folder)]


@contextmanager
def watched() -> Iterator[Traffic]:
    """Watch what this process opens and asks about in the block."""
    traffic = Traffic()
    watching = True

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event == "open":
            traffic.opened.append(str(arguments[0]))

    sys.addaudithook(hear)  # stays to the end of the process
    asking = {name: getattr(os, name) for name in ("stat", "lstat")}
    for name, ask in asking.items():
        setattr(os, name, _noting(ask, traffic.asked))
    try:
        yield traffic
    finally:
        watching = False
        for name, ask in asking.items():
            setattr(os, name, ask)


def _noting(ask: Callable[..., os.stat_result], asked: list[str]) -> Callable[..., os.stat_result]:
    def noting(path: Any, **more: Any) -> os.stat_result:
        asked.append(str(path))
        return ask(path, **more)

    return noting


def calls(work: Callable[[], object]) -> int:
    """How many functions ``work`` calls, of Python and of C."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def report(**facts: object) -> None:
    """Hand ``facts`` to the test."""
    sys.stdout.write("\n" + json.dumps(facts) + "\n")


def counts(script: str, *arguments: str, **variables: str) -> dict[str, Any]:
    """Run ``script`` in a process of its own and return what it reports."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_RUN,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found

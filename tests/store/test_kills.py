"""Killed writers leave the old or the new state."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support import keyrings

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from pathlib import Path

RUNS = {
    "file calls 1": "before or after each call to the system, or half-way",
    "keyring calls 1": "before or after each call to the system, or half-way",
    "file lines 9": "before every 9th line",
    "keyring lines 9": "before every 9th line",
    "file random 360": "at random times",
    "keyring random 360": "at random times",
}
ENOUGH = 2_000


@dataclass
class Run:
    """One process that kills many writers."""

    what: str
    process: subprocess.Popen[str]

    @classmethod
    def started(cls, what: str, *, below: Path) -> Run:
        home = below / what.replace(" ", "-") / "home"
        home.parent.mkdir()
        return cls(
            what,
            subprocess.Popen(
                [sys.executable, "-m", "tests.store.killing", str(home), *what.split()],
                env={**os.environ, "PYTHON_KEYRING_BACKEND": f"{keyrings.NAME}InFolder"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ),
        )

    def numbers(self) -> dict[str, int]:
        answer, trouble = self.process.communicate()
        assert self.process.returncode == 0, trouble[-3000:]
        numbers: dict[str, int] = json.loads(answer)
        return numbers


@pytest.mark.slow
def test_writer_killed_at_any_step_leaves_the_old_or_the_new_state(
    tmp_path: Path, report: Callable[[str], None], count: Counter[str]
) -> None:
    runs = [Run.started(what, below=tmp_path) for what in RUNS]
    total = 0
    for run in runs:
        numbers = run.numbers()
        killed, before = numbers["killed"], numbers["before"]
        assert 0 < before < killed, "both outcomes were seen"
        assert numbers["left"], "some were killed between two steps"
        total += killed
        report(
            f"{killed} writers to the {run.what.split()[0]} killed {RUNS[run.what]}: "
            f"{before} left the old state, {killed - before} the new one"
        )
    assert total >= ENOUGH
    count["kills"] += total
    report(f"{total} writers killed in all: each left the old or the new state")

"""Count the instructions of a command with valgrind. The load of the machine does not matter."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.benchmarks.hosts import Unmeasurable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_COLLECTED = re.compile(r"Collected *: *(\d+)")


def countable() -> bool:
    """Return whether valgrind is installed."""
    return shutil.which("valgrind") is not None


def instructions(command: Sequence[str], *, variables: Mapping[str, str], cwd: Path) -> float:
    """Return the number of instructions of ``command``; two runs differ by less than 0.1 %.

    Raises:
        Unmeasurable: The command failed, or valgrind cannot run it.
    """
    callgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*callgrind, *command],
        env=dict(variables),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    counted = _COLLECTED.search(done.stderr)
    if done.returncode or counted is None:
        raise Unmeasurable(f"valgrind could not count `{' '.join(command)}`.")
    return float(counted[1])

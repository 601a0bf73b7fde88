"""Run a command once, and measure its time, processor time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.hosts import Unmeasurable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROBES = Path(__file__).with_name("probes")
KIB_PER_UNIT = 1 / 1024 if sys.platform == "darwin" else 1
"""``ru_maxrss`` is in bytes on macOS and in KiB on Linux."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The seconds of one run, and its largest memory in MiB."""

    wall: float
    processor: float
    memory: float


def timed(command: Sequence[str], *, variables: Mapping[str, str], cwd: Path) -> Run:
    """Run ``command`` without its output.

    Raises:
        Unmeasurable: The command failed.
    """
    with (cwd / "stderr").open("w+b") as complaints:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=dict(variables),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            said = complaints.read().decode("utf-8", "replace").strip()
            raise Unmeasurable(f"`{' '.join(command)}` ended with {process.returncode}: {said}")
    return Run(
        wall=wall,
        processor=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss * KIB_PER_UNIT / 1024,
    )


def probed(
    python: str, probe: str, *arguments: str, variables: Mapping[str, str], cwd: Path
) -> Any:
    """Run the script ``probes/<probe>.py`` with ``python``; return the JSON that it prints.

    Raises:
        Unmeasurable: The script failed.
    """
    done = subprocess.run(
        [python, str(PROBES / f"{probe}.py"), *arguments],
        env=dict(variables),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise Unmeasurable(f"The probe {probe} failed: {last}")
    return json.loads(done.stdout.rpartition("\n")[2] or done.stdout)

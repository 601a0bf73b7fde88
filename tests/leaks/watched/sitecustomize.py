"""Imported by every Python process below a watched one: notes what ``ps`` would show of it.

``PYTHONPATH`` leads here. Notes go to the file that ``WATCHED_NOTES`` names, a line each:
what the process is, and each program that it starts.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

NOTES = os.environ.get("WATCHED_NOTES", "")
STARTS = ("subprocess.Popen", "os.posix_spawn", "os.exec", "os.system")


def note(words: object, variables: object) -> None:
    """Write a line: ``words`` as they stand, and the variables that conda would print."""
    known = dict(os.environ if variables is None else variables)  # type: ignore[call-overload]  # as os takes it
    named = {os.fsdecode(name): os.fsdecode(value) for name, value in known.items()}
    printed = {name: value for name, value in named.items() if name.upper().startswith("CONDA")}
    with Path(NOTES).open("a", encoding="utf-8") as file:
        file.write(json.dumps([str(words), printed]) + "\n")


def hook(event: str, facts: tuple[Any, ...]) -> None:
    """As ``sys.addaudithook`` calls it."""
    if event == "subprocess.Popen":
        note([facts[0], facts[1]], facts[3])
    elif event in STARTS:
        note(facts[:2], facts[2] if len(facts) > 2 else None)


if NOTES:
    note(Path("/proc/self/cmdline").read_bytes() if Path("/proc/self").exists() else sys.argv, None)
    sys.addaudithook(hook)

"""Measure the floor of storing a token in a conda process: a lock, and waits for the disk.

As many files are written, synced and put in place as ``conda token install`` does.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from conda.base.context import reset_context
from conda.cli.conda_argparse import generate_parser
from conda.gateways.connection.session import get_session  # noqa: F401  # has requests loaded
from conda.plugins.manager import get_plugin_manager

SYNCS = 10


def keep_safe(folder: Path) -> float:
    """Return the milliseconds of a lock and of the waits."""
    began = time.perf_counter_ns()
    from filelock import FileLock

    with FileLock(folder / "lock"):
        for number in range(SYNCS):
            with (folder / "new").open("wb") as file:
                file.write(b"x" * 1000)
                file.flush()
                os.fsync(file.fileno())
            (folder / "new").replace(folder / str(number))
    return (time.perf_counter_ns() - began) / 1e6


def main() -> dict[str, float]:
    """Return a folder in the home, on the same disk as the store of a measured command."""
    reset_context()
    get_plugin_manager()
    generate_parser(add_help=True)
    with TemporaryDirectory(dir=Path("~").expanduser()) as folder:
        return {"milliseconds": keep_safe(Path(folder))}


if __name__ == "__main__":
    measured = main()
    sys.stdout.write("\n" + json.dumps(measured))

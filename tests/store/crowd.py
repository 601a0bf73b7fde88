"""Many writers at once. ``python -m tests.store.crowd HOME 64 25`` forks 64, of 25 writes each.

Each adds tokens of its own, replaces one that all share, and removes some of its own.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import filelock  # noqa: F401  # so that the children find it imported

from conda_token_plugin.store import Store
from tests.store import made
from tests.store.killing import quietly

SHARED = "shared"


def main(home: str, processes: str, writes: str) -> None:
    os.fsync = lambda _: None  # type: ignore[assignment]  # a crowd is no power cut
    folder = Path(home) / "store"
    gate, opened = os.pipe()
    children = []
    for number in range(int(processes)):
        child = os.fork()
        if not child:
            os.close(opened)
            quietly(partial(write, folder, number, int(writes), gate=gate))
        children.append(child)
    os.close(opened)  # and they all go
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    sys.exit(len(failed))


def write(folder: Path, number: int, writes: int, *, gate: int) -> None:
    """Of any five writes, three add, one replaces what is shared, and one removes the second."""
    os.read(gate, 1)
    for turn in range(writes):
        store = Store(folder, choice="file")
        name = f"{number}.{turn}"
        if turn % 5 == 3:
            store.add(made.token(SHARED, last_four=name), made.secret(name))
        elif turn % 5 == 4:
            store.remove(made.token(f"{number}.{turn - 3}").key)
        else:
            store.add(made.token(name, last_four=name), made.secret(name))


def expected(processes: int, writes: int) -> dict[str, str]:
    """The organizations that are left, and their tokens; but for the shared one."""
    return {
        f"{number}.{turn}": made.value(f"{number}.{turn}")
        for number in range(processes)
        for turn in range(writes)
        if turn % 5 in (0, 2) or (turn % 5 == 1 and turn + 3 >= writes)
    }


if __name__ == "__main__":
    main(*sys.argv[1:])

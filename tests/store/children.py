"""Programs that use a store in a process of their own: ``python -m tests.store.children NAME …``.

* ``act ORDER``: one operation, as another user or with a limit of the size of files. Prints a
  JSON object: the error's class and text if there was one, the notices, and the content.
* ``exchange FOLDER``: adds the token of "theirs" from its input and prints the secret of "ours".
* ``write_concurrently HOME 64 25``: forks 64 writers that make 25 writes each.
* ``hold FOLDER``: holds the lock of the store until its input ends.
* ``derive FOLDER NAME``: stores tokens and writes the drop-in, as ``conda token install`` does. It
  prints a line and starts when it receives one, so that two processes write at the same time.
"""

from __future__ import annotations

import grp  # noqa: F401  # another user may not be allowed to read it later
import json
import os
import resource
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock  # noqa: F401  # as above, and so that forked children find it imported

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.gateways import keyring, locks
from conda_token_plugin.operations.store_token import store_token
from conda_token_plugin.store import Store
from conda_token_plugin.tokens.secret import Secret
from tests.store import stores
from tests.store.stores import WRITES
from tests.support import tokens

if TYPE_CHECKING:
    from collections.abc import Callable

SHARED = "shared"
DERIVED = "dropin.yml"
DERIVATIONS = 15


def perform(folder: Path, act: str, **settings: Any) -> dict[str, Any]:
    """Run ``act`` on the store in ``folder`` in another process; return its answer."""
    child = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.store.children",
            "act",
            json.dumps({"folder": str(folder), "act": act, **settings}),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    answer: dict[str, Any] = json.loads(child.stdout)
    return answer


def act(text: str) -> None:
    """Perform an order; with ``sizes``, once for each limit of the size of files."""
    order = json.loads(text)
    _become(order)
    keyring.LIMIT = order.get("limit", keyring.LIMIT)
    store = Store(Path(order["folder"]), choice="file", machine=order.get("machine", False))
    answers = []
    for size in order.get("sizes", [None]):
        _limit(size)
        answers.append(_answer(store, order["act"]))
    _limit(None)
    seen = _answer(store, "content")
    print(json.dumps({"answers": answers, **answers[-1], "seen": seen["value"]}))  # noqa: T201  # its answer


def _become(order: dict[str, Any]) -> None:
    if "uid" in order:
        os.setgroups(order.get("groups", []))
        os.setgid(65534)
        os.setuid(order["uid"])


def _limit(size: int | None) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def _answer(store: Store, act: str) -> dict[str, Any]:
    try:
        value = ACTS[act](store)
    except TokenPluginError as error:
        return {"error": type(error).__name__, "text": str(error), "value": None}
    shown = value if isinstance(value, str | dict) else None
    return {
        "error": "",
        "text": "",
        "value": shown,
        "notices": store.notices,
        "closed_to": store.closed_to(),
    }


def _content(store: Store) -> dict[str, str]:
    return {token.key: secret for token, secret in stores.content(store).tokens.values()}


ACTS: dict[str, Callable[[Store], Any]] = {
    **WRITES,
    "content": _content,
    "secret": lambda store: store.secret(tokens.token("acme").key).reveal(),
    "share": lambda store: store.share("root"),
}


def exchange(folder: str) -> None:
    """Add one token and print the secret of another."""
    store = Store(
        Path(folder),
        choice=os.environ.get("TEST_CHOICE", "file"),
        machine="TEST_MACHINE" in os.environ,
    )
    store.add(tokens.token("theirs"), Secret(sys.stdin.read()))
    sys.stdout.write(store.secret(tokens.token("ours").key).reveal())


def hold(folder: str) -> None:
    """Hold the lock until the input ends."""
    with Store(Path(folder), choice="file").exclusive():
        print("held", flush=True)  # noqa: T201  # its answer
        sys.stdin.read()


def derive(folder: str, name: str) -> None:
    """Store tokens one by one, each time writing the drop-in for all tokens."""
    store = Store(Path(folder), choice="file")
    print("ready", flush=True)  # noqa: T201  # its answer
    sys.stdin.readline()
    for number in range(DERIVATIONS):
        token = tokens.token(f"{name}{number}")
        secret = tokens.secret(token.organization)
        store_token(token, secret=secret, store=store, at=Path(folder).with_name(DERIVED))


def write_concurrently(home: str, processes: str, writes: str) -> None:
    from tests.store.killing import quietly  # which imports a keyring

    os.fsync = lambda _: None  # type: ignore[assignment]  # no power cut is tested here
    locks.WAIT = 600.0  # the speed of the machine must not decide whether the test passes
    folder = Path(home) / "store"
    gate, opened = os.pipe()
    children = []
    for number in range(int(processes)):
        child = os.fork()
        if not child:
            os.close(opened)
            quietly(partial(write, folder, number, int(writes), gate=gate))
        children.append(child)
    os.close(opened)  # lets all writers start
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    sys.exit(len(failed))


def write(folder: Path, number: int, writes: int, *, gate: int) -> None:
    """Of five writes, three add, one replaces the shared token, and one removes the second."""
    os.read(gate, 1)
    for turn in range(writes):
        store = Store(folder, choice="file")
        name = f"{number}.{turn}"
        if turn % 5 == 3:
            store.add(tokens.token(SHARED, last_four=name), tokens.secret(name))
        elif turn % 5 == 4:
            store.remove(tokens.token(f"{number}.{turn - 3}").key)
        else:
            store.add(tokens.token(name, last_four=name), tokens.secret(name))


def expected(processes: int, writes: int) -> dict[str, str]:
    """Return the organizations that are left, except the shared one, and their secrets."""
    return {
        f"{number}.{turn}": tokens.value(f"{number}.{turn}")
        for number in range(processes)
        for turn in range(writes)
        if turn % 5 in (0, 2) or (turn % 5 == 1 and turn + 3 >= writes)
    }


PROGRAMS: dict[str, Callable[..., None]] = {
    program.__name__: program for program in (act, exchange, hold, derive, write_concurrently)
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])

"""What a store does in a process of its own: as another user, or with little room.

``python -m tests.store.acts '{"folder": …, "act": "add", "uid": 65534}'`` prints a JSON object:
the error's class and text if there was one, the notices, and the organizations that are seen.
"""

from __future__ import annotations

import grp  # noqa: F401  # another user may not be allowed to read it later
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock  # noqa: F401  # as above

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.store import Store, keyring_vault
from conda_token_plugin.store.sharing import share
from tests.store import made
from tests.store.writes import WRITES

if TYPE_CHECKING:
    from collections.abc import Callable


def perform(folder: Path, act: str, **settings: Any) -> dict[str, Any]:
    """Have another process do ``act`` with the store in ``folder``."""
    child = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.store.acts",
            json.dumps({"folder": str(folder), "act": act, **settings}),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    answer: dict[str, Any] = json.loads(child.stdout)
    return answer


def main(order: dict[str, Any]) -> None:
    """Do what is ordered; with ``sizes``, once for each limit of a file's size."""
    _become(order)
    keyring_vault.LIMIT = order.get("limit", keyring_vault.LIMIT)
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
    return {"error": "", "text": "", "value": shown, "notices": store.notices}


def _content(store: Store) -> dict[str, str]:
    return {token.key: secret for token, secret in made.content(store).tokens.values()}


ACTS: dict[str, Callable[[Store], Any]] = {
    **WRITES,
    "content": _content,
    "secret": lambda store: store.secret(made.token("acme").key).reveal(),
    "share": lambda store: share(store.folder, group="root"),
}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

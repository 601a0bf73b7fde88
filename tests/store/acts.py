"""What a store does in a process of its own: as another user, or with little room.

``python -m tests.store.acts '{"folder": …, "act": "add", "uid": 65534}'`` prints a JSON object:
the error's class and text if there was one, the notices, and the organizations that are seen.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import filelock  # noqa: F401  # another user may not be allowed to read it later

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.store import Store, keyring_vault
from tests.store import made


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
    print(json.dumps({"answers": answers, **answers[-1], "seen": seen["value"]}))  # noqa: T201


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
        value: Any = _do(store, act)
    except TokenPluginError as error:
        return {"error": type(error).__name__, "text": str(error), "value": None}
    return {"error": "", "text": "", "value": value, "notices": store.notices}


def _do(store: Store, act: str) -> Any:
    if act == "add":
        return store.add(made.token("added"), made.secret("added"))
    if act == "replace":
        return store.add(made.token("acme"), made.secret("replaced"))
    if act == "update":
        return store.update(made.token("acme", last_four="9999"))
    if act == "remove":
        return store.remove(made.token("acme").key).organization
    if act == "secret":
        return store.secret(made.token("acme").key).reveal()
    if act == "prove":
        return store.prove_writable()
    assert act == "content"
    return {token.key: secret for token, secret in made.content(store).tokens.values()}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

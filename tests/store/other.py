"""Another process: adds the token of "theirs" from its input, and prints the secret of "ours"."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from conda_token_plugin.store import Store
from conda_token_plugin.tokens.secret import Secret
from tests.store import made


def main(folder: str) -> None:
    store = Store(
        Path(folder),
        choice=os.environ.get("TEST_CHOICE", "file"),
        machine="TEST_MACHINE" in os.environ,
    )
    store.add(made.token("theirs"), Secret(sys.stdin.read()))
    sys.stdout.write(store.secret(made.token("ours").key).reveal())


if __name__ == "__main__":
    main(*sys.argv[1:])

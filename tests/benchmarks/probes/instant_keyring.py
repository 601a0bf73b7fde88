"""A keyring backend that costs next to nothing: what is measured with it is its caller.

Its entries are read once from ``instant-keyring.json`` in the home; each call is written
to ``keyring-calls`` beside it, so that calls can be counted.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend

HOME = Path("~").expanduser()


class Keyring(KeyringBackend):
    """Reads; what is written stays in this process."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        """The entry, whatever the user is called."""
        with (HOME / "keyring-calls").open("a", encoding="utf-8") as calls:
            calls.write(f"get {service} {username}\n")
        return entries().get(service)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it until the process ends."""
        del username
        entries()[service] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        del username
        entries().pop(service, None)


@cache
def entries() -> dict[str, Any]:
    """What the home holds."""
    path = HOME / "instant-keyring.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found

"""A keyring backend that takes no time, so that a measurement is that of its caller.

Its entries are in ``instant-keyring.json`` in the home.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend

ENTRIES = Path("~").expanduser() / "instant-keyring.json"


class Keyring(KeyringBackend):
    """Reads the file once, and writes it after each change."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        """Return the entry of the service; the user name is ignored."""
        del username
        return entries().get(service)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store the entry of the service."""
        del username
        entries()[service] = password
        ENTRIES.write_text(json.dumps(entries()), "utf-8")

    def delete_password(self, service: str, username: str) -> None:
        """Delete the entry of the service, if there is one."""
        del username
        entries().pop(service, None)
        ENTRIES.write_text(json.dumps(entries()), "utf-8")


@cache
def entries() -> dict[str, Any]:
    """Return the entries of the home."""
    found: dict[str, Any] = json.loads(ENTRIES.read_text("utf-8")) if ENTRIES.is_file() else {}
    return found

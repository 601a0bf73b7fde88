"""Entries that another tool keeps in the system's keyring: one service, a user name a key.

The system's own backend, by name: what Python's keyring prefers here may be a plain file that some
package has registered, and no other tool reads that. Only ``PYTHON_KEYRING_BACKEND`` has a say:
who sets it wants that one, or none. The library is imported when it is needed, and never waited
for long: a keyring can be locked behind a window that nobody sees.
"""

from __future__ import annotations

import sys
from concurrent.futures import TimeoutError as TooLong  # its own class before Python 3.11
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.store.keyring_vault import Backend

PATIENCE = 30.0
"""Seconds that a call may take; a person may have to type a password meanwhile."""
PREFIX = "keyring:"
NATIVE = {
    "darwin": "keyring.backends.macOS.Keyring",
    "win32": "keyring.backends.Windows.WinVaultKeyring",
}.get(sys.platform, "keyring.backends.SecretService.Keyring")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringService:
    """The entries of one service."""

    service: str

    @property
    def name(self) -> str:
        """``keyring:<service>``."""
        return f"{PREFIX}{self.service}"

    def held(self, key: str) -> str | None:
        """The entry of the user name ``key``."""
        return _asked(lambda backend: backend.get_password(self.service, key))

    def prepare(self, key: str) -> None:
        """Nothing is in the way of a key."""

    def sweep(self, key: str) -> None:
        """A keyring writes at once."""

    def missing(self, key: str) -> str:  # noqa: ARG002  # as Place
        """A keyring's service is nothing that would have to be made."""
        return ""

    def put(self, key: str, value: str) -> None:
        """Set the entry, and see that it is there: some backends keep nothing, and say nothing."""
        _asked(lambda backend: backend.set_password(self.service, key, value))
        if self.held(key) != value:
            raise KeyringUnusable("did not keep what was put into it")

    def drop(self, key: str, *, made: str) -> None:  # noqa: ARG002  # as Place
        """Delete the entry."""
        _asked(lambda backend: backend.delete_password(self.service, key))


def _asked(work: Callable[[Backend], Answer]) -> Answer:
    """Have ``work`` done within ``PATIENCE``.

    Raises:
        KeyringUnusable: it was not done. The backend's words are not shown: they may tell.
    """
    from conda_token_plugin.store.keyring_vault import loaded, started

    backend = Settings().variables.get("PYTHON_KEYRING_BACKEND") or NATIVE
    answer = started(lambda: work(loaded(backend)))
    try:
        error = answer.exception(timeout=PATIENCE)
    except TooLong:  # a prompt that nobody answers, a daemon that is stuck
        raise KeyringUnusable(f"did not answer within {PATIENCE:.0f} seconds") from None
    if error is not None:
        raise KeyringUnusable(f"refused: {type(error).__name__}")
    return answer.result()

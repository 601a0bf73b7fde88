"""Bounded calls to the system keyring, and the entries of one service in it.

A keyring can be locked behind a prompt that the user does not see, refuse, or hang. Every call is
made in a daemon thread and has a time limit. A backend is loaded by the name of its class, so that
no other backend is imported: some packages register backends that write plain files.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.gateways.bounded import DeadlineExceeded
from conda_token_plugin.gateways.bounded import bounded as bounded_call
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 30.0
"""Seconds that a call may take; the user may have to type a password meanwhile."""
PREFIX = "keyring:"
NATIVE = {
    "darwin": "keyring.backends.macOS.Keyring",
    "win32": "keyring.backends.Windows.WinVaultKeyring",
}.get(sys.platform, "keyring.backends.SecretService.Keyring")

Result = TypeVar("Result")


class Backend(Protocol):
    """The methods of ``keyring.backend.KeyringBackend`` that this package calls."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return the entry, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Write the entry."""

    def delete_password(self, service: str, username: str) -> None:
        """Delete the entry; raise if there is none."""


def load_backend(name: str) -> Backend:
    """Return the backend of the class ``name``; raise any error if it does not work here."""
    from keyring.core import load_keyring

    return load_keyring(name)


def bounded(work: Callable[[], Result], *, limit: float | None = None) -> Result:
    """Return the result of ``work``, which calls a keyring.

    Args:
        work: Runs in a daemon thread.
        limit: Seconds to wait. ``LIMIT`` by default.

    Raises:
        KeyringUnusable: The call failed or took too long. The message of the backend's error is
            left out, because it can contain the secret.
        ModuleNotFoundError: The library ``keyring`` is not installed.
    """
    seconds = LIMIT if limit is None else limit
    try:
        return bounded_call(work, seconds=seconds)
    except DeadlineExceeded:  # a prompt without an answer, a daemon that hangs
        reason, persistent = f"did not answer within {seconds:.0f} seconds", True
    except (Exception, SystemExit) as error:  # backends raise any type of error
        if isinstance(error, ModuleNotFoundError) and error.name == "keyring":
            raise
        persistent = type(error).__name__ == "KeyringLocked"
        reason = "is locked" if persistent else f"refused: {type(error).__name__}"
    # Raised outside of the except block, so that it does not keep the backend's error.
    raise KeyringUnusable(reason, persistent=persistent)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringService:
    """The entries that another tool keeps in the system keyring under one service name.

    ``PYTHON_KEYRING_BACKEND`` overrides the native backend; there is no fallback. Every method
    raises KeyringUnusable if the keyring does not answer.
    """

    service: str

    def held(self, key: str) -> str | None:
        """Return the entry of the user name ``key``, or None."""
        return _call(lambda backend: backend.get_password(self.service, key))

    def put(self, key: str, value: str) -> None:
        """Set the entry and read it back: some backends store nothing and report no error."""
        _call(lambda backend: backend.set_password(self.service, key, value))
        if self.held(key) != value:
            raise KeyringUnusable("did not store what was written to it")

    def drop(self, key: str) -> None:
        """Delete the entry."""
        _call(lambda backend: backend.delete_password(self.service, key))


def _call(work: Callable[[Backend], Result]) -> Result:
    name = Settings().variables.get("PYTHON_KEYRING_BACKEND") or NATIVE
    return bounded(lambda: work(load_backend(name)))

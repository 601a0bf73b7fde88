"""Entries that another tool keeps in the system's keyring: one service, a user name a key.

Only through the ``keyring`` library, imported when it is needed, and never waited for long:
a keyring can be locked behind a window that nobody sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from conda_token_plugin.errors import KeyringUnusable

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.clients.model import Entry

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds: time enough for a person to unlock it."""
PREFIX = "keyring:"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringService:
    """The entries of one service."""

    service: str
    patience: float = PATIENCE

    @property
    def name(self) -> str:
        """``keyring:<service>``."""
        return f"{PREFIX}{self.service}"

    def held(self, key: str) -> str | None:
        """The entry of the user name ``key``."""
        import keyring

        return within(self.patience, lambda: keyring.get_password(self.service, key))

    def missing(self, key: str) -> str:  # noqa: ARG002  # as Place
        """A keyring's service is nothing that would have to be made."""
        return ""

    def put(self, entry: Entry) -> None:
        """Set the entry."""
        import keyring

        within(
            self.patience,
            lambda: keyring.set_password(self.service, entry.key, entry.value),
        )

    def drop(self, key: str, *, made: str) -> None:  # noqa: ARG002  # as Place
        """Delete the entry."""
        import keyring

        within(self.patience, lambda: keyring.delete_password(self.service, key))


def within(seconds: float, call: Callable[[], T]) -> T:
    """What ``call`` returns; a thread that hangs is left behind.

    Raises:
        KeyringUnusable: it raised, or did not return in time.
    """
    import keyring.errors

    done: list[T] = []
    failed: list[BaseException] = []

    def attempt() -> None:
        try:
            done.append(call())
        except BaseException as error:  # noqa: BLE001  # said below, in the thread that asked
            failed.append(error)

    thread = Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    if done:
        return done[0]
    if failed and isinstance(failed[0], keyring.errors.NoKeyringError):
        raise KeyringUnusable("is absent")
    raise KeyringUnusable(
        f"failed ({type(failed[0]).__name__})"
        if failed
        else f"did not answer in {seconds:.0f} seconds"
    )

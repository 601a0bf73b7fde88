"""Secrets in the system's keyring: service ``conda-token-plugin``, user = the entry.

An entry's name begins with the token's key, for those who look into their keyring.
A keyring may be locked, may refuse, may wait for a prompt that nobody sees, and may hang.
So every call has a time limit, and one that ran into it is the last of the process.

An entry holds at most 1,200 characters, as Windows' hold 1,280
(CRED_MAX_CREDENTIAL_BLOB_SIZE is 2,560 bytes of UTF-16): a token takes one entry,
an API key may take two or three, each "number/count text". They are written upwards and deleted
downwards, so that what a killed write leaves is found by counting from the first.
"""

from __future__ import annotations

import re
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLong  # its own class before Python 3.11
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import TYPE_CHECKING, Protocol, TypeVar

from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.store.vaults import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.errors.store import StoreError
    from conda_token_plugin.store.envelope import EnvelopeRefused

SERVICE = "conda-token-plugin"
LIMIT = 30.0
"""Seconds that a call may take; a person may have to type a password meanwhile."""
PART = 1_200
"""Characters of an entry, without its number."""
MOST_PARTS = LARGEST // PART + 1
"""A keyring that has an answer for everything must not keep us counting."""
LONGEST_NAME = 400
_NUMBERED = re.compile(r"(\d{1,3})/(\d{1,3}) (.*)", re.DOTALL)

Answer = TypeVar("Answer")


class Backend(Protocol):
    """What we use of ``keyring.backend.KeyringBackend``."""

    def get_password(self, service: str, username: str) -> str | None:
        """Give the entry, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Write the entry."""

    def delete_password(self, service: str, username: str) -> None:
        """Delete the entry; one that is missing is an error."""


@dataclass(slots=True)
class KeyringVault:
    """One backend of ``keyring``, by the name of its class. For any thread."""

    backend: str
    _guard: Lock = field(default_factory=Lock)
    _given_up: str = ""
    """Why no more calls are made in this process."""

    def entry(self, name: str, *, number: str) -> str:
        """The name as far as it can be shown, for people; the number sets it apart.

        Windows takes 513 characters (CRED_MAX_USERNAME_LENGTH).
        """
        shown = "".join(c if c.isprintable() else "?" for c in name[:LONGEST_NAME])
        return f"{shown} ({number})"

    def get(self, entry: str) -> bytes | None:
        """Put the parts together; None where one is missing."""
        return self._ask(lambda backend: _joined(backend, entry))

    def put(self, entry: str, sealed: bytes) -> None:
        """Write the parts."""
        text = sealed.decode("ascii")
        parts = [text[at : at + PART] for at in range(0, len(text), PART)]
        self._ask(lambda backend: _write(backend, entry, parts), tells_secrets=True)

    def delete(self, entry: str) -> None:
        """Delete the parts that there are."""
        self._ask(lambda backend: _delete(backend, entry))

    def prove(self) -> None:
        """Nothing: the probe has done so, see ``choice``."""

    def damaged(self, entry: str, refused: EnvelopeRefused) -> StoreError:
        """Say that this keyring mixes things up."""
        return KeyringUnusable(f"gave something else for {entry} than was put in: {refused.fault}")

    def _ask(self, work: Callable[[Backend], Answer], *, tells_secrets: bool = False) -> Answer:
        """Have ``work`` done within ``LIMIT``; an error's words are not shown if it may tell.

        Raises:
            KeyringUnusable: it was not done.
        """
        with self._guard:
            if self._given_up:
                raise KeyringUnusable(self._given_up)
            answer = started(lambda: work(loaded(self.backend)))
            try:
                error = answer.exception(timeout=LIMIT)
            except TooLong:  # a prompt that nobody answers, a daemon that is stuck
                self._given_up = f"did not answer within {LIMIT:.0f} seconds"
                raise KeyringUnusable(self._given_up) from None
            if error is None:
                return answer.result()
            if type(error).__name__ == "KeyringLocked":
                self._given_up = "is locked"
            raise KeyringUnusable(self._given_up or _refusal(error, shown=not tells_secrets))


def loaded(backend: str) -> Backend:
    """The backend of that class; raises what it likes when it does not work here.

    By name, so that no other backend is imported, looked at or preferred:
    some packages register ones that write plain files.
    """
    from keyring.core import load_keyring

    return load_keyring(backend)


def started(work: Callable[[], Answer]) -> Future[Answer]:
    """Do ``work`` in a thread that nobody has to wait for, not even the end of the process."""
    answer: Future[Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(work())
        except BaseException as error:  # noqa: BLE001  # a foreign backend; who waits must hear
            answer.set_exception(error)

    Thread(target=run, daemon=True, name="keyring").start()
    return answer


def _refusal(error: BaseException, *, shown: bool) -> str:
    words = " ".join(str(error).split())[:100] if shown else ""
    return f"refused: {type(error).__name__}" + (f" ({words})" if words else "")


def _user(entry: str, number: int) -> str:
    return entry if number == 1 else f"{entry}/{number}"


def _joined(backend: Backend, entry: str) -> bytes | None:
    text, number, count = "", 1, 1
    while number <= min(count, MOST_PARTS):
        part = backend.get_password(SERVICE, _user(entry, number))
        if part is None:
            return None
        match = _NUMBERED.fullmatch(part)
        if match is None:  # someone else's; it is refused when it is unsealed
            return part.encode()
        text, number, count = text + match[3], number + 1, int(match[2])
    return text.encode()


def _write(backend: Backend, entry: str, parts: list[str]) -> None:
    for number, part in enumerate(parts, 1):
        backend.set_password(SERVICE, _user(entry, number), f"{number}/{len(parts)} {part}")


def _delete(backend: Backend, entry: str) -> None:
    count = 0
    while count < MOST_PARTS and backend.get_password(SERVICE, _user(entry, count + 1)) is not None:
        count += 1
    for number in range(count, 0, -1):
        backend.delete_password(SERVICE, _user(entry, number))

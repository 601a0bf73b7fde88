"""Keyrings that behave, refuse, lie, lock and hang. Named by PYTHON_KEYRING_BACKEND in tests."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from threading import Event

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError, PasswordSetError

LET_GO = Event()
"""Lets those go that hang in this process."""
NAME = "tests.store.keyrings."


class InFolder(KeyringBackend):
    """Behaves; its entries outlive the process, as a daemon's do."""

    priority = 0.1

    @property
    def folder(self) -> Path:
        folder = Path.home() / "keyring"
        folder.mkdir(exist_ok=True)
        return folder

    def _path(self, service: str, username: str) -> Path:
        return self.folder / hashlib.sha256(f"{service} {username}".encode()).hexdigest()

    def get_password(self, service: str, username: str) -> str | None:
        path = self._path(service, username)
        return path.read_text("utf-8").partition("\n")[2] if path.exists() else None

    def set_password(self, service: str, username: str, password: str) -> None:
        temporary = self.folder.parent / f"keyring {os.getpid()}"
        temporary.write_text(f"{username}\n{password}", "utf-8")
        temporary.replace(self._path(service, username))

    def delete_password(self, service: str, username: str) -> None:
        try:
            self._path(service, username).unlink()
        except FileNotFoundError:
            raise PasswordDeleteError(username) from None


def users() -> set[str]:
    """Whom the folder has entries for, without the numbers of parts."""
    paths = (Path.home() / "keyring").glob("*")
    return {
        path.read_text("utf-8").partition("\n")[0].partition(")/")[0].rstrip(")") for path in paths
    }


class Small(InFolder):
    """Takes as much as Windows does: 2,560 bytes of UTF-16."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password.encode("utf-16-le")) > 2560 or len(username) > 513:
            raise ValueError("The stub received bad data")
        super().set_password(service, username, password)


class Locked(InFolder):
    """Asks, and nobody answers."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"{service} {username} {len(password)}")

    def delete_password(self, service: str, username: str) -> None:
        raise KeyringLocked(f"{service} {username}")


class Refusing(InFolder):
    """Refuses to write, and tells everybody what."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError(f"cannot store {password[-70:]} of {username} in {service}")


class Foreign(InFolder):
    """Raises what is no error of keyring's."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise LookupError(f"cannot store {password[-70:]} of {username} in {service}")


class Lying(InFolder):
    """Gives back something else than was put in."""

    def get_password(self, service: str, username: str) -> str | None:
        answer = super().get_password(service, username)
        return answer and answer[::-1]


class Forgetting(InFolder):
    """Takes everything and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        del service, username, password


class Keeping(InFolder):
    """Says that it has deleted, and has not."""

    def delete_password(self, service: str, username: str) -> None:
        del service, username


class Echoing(InFolder):
    """Has an answer for everything."""

    asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        Echoing.asked += 1
        return f"{service} {username}"


class Hanging(InFolder):
    """Never answers."""

    def get_password(self, service: str, username: str) -> str | None:
        LET_GO.wait()
        return f"{service} {username}"


class Crashing(InFolder):
    """Takes the process with it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        del service, username, password
        os.abort()


class Chattering(InFolder):
    """Prints what it does."""

    def set_password(self, service: str, username: str, password: str) -> None:
        print(f"setting {username}")  # noqa: T201  # what this one is about
        sys.stdout.flush()
        os.write(1, b"done\n")
        super().set_password(service, username, password)


class Failing(InFolder):
    """Works while the file ``~/works`` is there."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if not (Path.home() / "works").exists():
            raise PasswordSetError("out of order")
        super().set_password(service, username, password)

"""Keyrings for tests: fake backends of every behaviour, and a real Secret Service.

The fake ones are chosen with ``PYTHON_KEYRING_BACKEND``. The real one is gnome-keyring, on
a session bus of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError, PasswordSetError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    import secretstorage

RELEASE = Event()
"""Ends the calls that hang in this process."""
NAME = "tests.support.keyrings."


class InFolder(KeyringBackend):
    """Works, and stores its entries in files, so that they outlive the process."""

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


def fake_users() -> set[str]:
    """Return the user names of the entries, without the numbers of parts."""
    paths = (Path.home() / "keyring").glob("*")
    return {
        path.read_text("utf-8").partition("\n")[0].partition(")/")[0].rstrip(")") for path in paths
    }


class Small(InFolder):
    """Has the size limits of Windows: 2,560 bytes of UTF-16."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password.encode("utf-16-le")) > 2560 or len(username) > 513:
            raise ValueError("The stub received bad data")
        super().set_password(service, username, password)


class Locked(InFolder):
    """Is locked."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"{service} {username} {len(password)}")

    def delete_password(self, service: str, username: str) -> None:
        raise KeyringLocked(f"{service} {username}")


class Refusing(InFolder):
    """Refuses to write, with an error that contains the secret."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PasswordSetError(f"cannot store {password[-70:]} of {username} in {service}")


class Foreign(InFolder):
    """Raises an error of another type than those of ``keyring``."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise LookupError(f"cannot store {password[-70:]} of {username} in {service}")


class Lying(InFolder):
    """Returns another value than was stored."""

    def get_password(self, service: str, username: str) -> str | None:
        answer = super().get_password(service, username)
        return answer and answer[::-1]


class Forgetting(InFolder):
    """Stores nothing and reports no error."""

    def set_password(self, service: str, username: str, password: str) -> None:
        del service, username, password


class Keeping(InFolder):
    """Deletes nothing and reports no error."""

    def delete_password(self, service: str, username: str) -> None:
        del service, username


class Echoing(InFolder):
    """Returns a value for every name."""

    asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        Echoing.asked += 1
        return f"{service} {username}"


class Hanging(InFolder):
    """Hangs until ``RELEASE`` is set."""

    def get_password(self, service: str, username: str) -> str | None:
        RELEASE.wait()
        return f"{service} {username}"


class Crashing(InFolder):
    """Crashes the process."""

    def set_password(self, service: str, username: str, password: str) -> None:
        del service, username, password
        os.abort()


class Chattering(InFolder):
    """Prints to standard output."""

    def set_password(self, service: str, username: str, password: str) -> None:
        print(f"setting {username}")  # noqa: T201  # the behaviour under test
        sys.stdout.flush()
        os.write(1, b"done\n")
        super().set_password(service, username, password)


class Failing(InFolder):
    """Works while the file ``~/works`` is there."""

    def set_password(self, service: str, username: str, password: str) -> None:
        if not (Path.home() / "works").exists():
            raise PasswordSetError("out of order")
        super().set_password(service, username, password)


_PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")
MISSING = ", ".join(name for name in _PROGRAMS if shutil.which(name) is None)
if find_spec("secretstorage") is None:
    MISSING = f"{MISSING}, secretstorage"
MISSING = f"a real Secret Service needs {MISSING}" if MISSING else ""


@dataclass(frozen=True, slots=True)
class Session:
    """A session bus, the home of its keyrings, and a folder for sockets."""

    address: str
    home: Path
    sockets: str
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def settings(self) -> dict[str, str]:
        """Return the variables of a program in this session."""
        return {
            "DBUS_SESSION_BUS_ADDRESS": self.address,
            "XDG_DATA_HOME": str(self.home),
            "XDG_RUNTIME_DIR": self.sockets,
        }

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Set the variables of this session for the rest of the test."""
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
        for name, value in self.settings().items():
            monkeypatch.setenv(name, value)

    def clear(self) -> None:
        """Delete every entry."""
        with closing(connection()) as bus:
            for item in items(bus):
                item.delete()

    def lock(self) -> None:
        """Lock the keyring, as a screen saver does."""
        with closing(connection()) as bus:
            _collection(bus).lock()

    def signal(self, number: int) -> None:
        """Send a signal to the daemons."""
        for daemon in self.daemons:
            daemon.send_signal(number)

    def start(self, mode: str) -> None:
        """Start gnome-keyring, "--unlock" with the password "pw" or just "--start"."""
        self.daemons.append(_daemon(self, mode))


@contextmanager
def unlocked(home: Path) -> Iterator[Session]:
    """Yield a session with an unlocked keyring."""
    with bus(home) as session:
        session.start("--unlock")
        yield session


@contextmanager
def bus(home: Path) -> Iterator[Session]:
    """Yield a session with an empty bus that starts no services."""
    sockets = tempfile.mkdtemp(prefix="bus")  # a socket's path has at most 107 characters
    configuration = home / "bus.conf"
    configuration.write_text(
        "<busconfig><type>session</type>"
        f"<listen>unix:dir={sockets}</listen>"
        '<policy context="default"><allow send_destination="*" eavesdrop="true"/>'
        '<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>'
    )
    daemon = subprocess.Popen(
        ["dbus-daemon", "--nofork", "--print-address", f"--config-file={configuration}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert daemon.stdout is not None
        with daemon.stdout:
            session = Session(daemon.stdout.readline().strip(), home, sockets)
        yield session
    finally:
        for one in session.daemons:
            _end(one)
        _end(daemon)
        shutil.rmtree(sockets)


def _daemon(session: Session, mode: str) -> subprocess.Popen[bytes]:
    """Start gnome-keyring and wait until it answers on the bus."""
    daemon = subprocess.Popen(
        ["gnome-keyring-daemon", "--foreground", "--components=secrets", mode],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **session.settings()},
    )
    assert daemon.stdin is not None
    assert daemon.stdout is not None
    with daemon.stdin:
        daemon.stdin.write(b"pw")
    with daemon.stdout:
        daemon.stdout.readline()  # its control socket, before it is on the bus
    _wait(session, daemon)
    return daemon


def _wait(session: Session, daemon: subprocess.Popen[bytes]) -> None:
    """Return when the daemon has answered on the bus; it may take a few tenths of a second."""
    open_dbus_connection = import_module("jeepney.io.blocking").open_dbus_connection  # untyped
    from secretstorage import check_service_availability

    with closing(open_dbus_connection(session.address)) as bus:
        while not check_service_availability(bus):
            assert daemon.poll() is None, "gnome-keyring-daemon has ended"
            time.sleep(0.02)


def _end(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def connection() -> Any:
    import secretstorage

    return secretstorage.dbus_init()


def _collection(bus: Any) -> secretstorage.Collection:
    import secretstorage

    return secretstorage.get_default_collection(bus)


def items(bus: Any) -> list[Any]:
    """Return all entries."""
    return list(_collection(bus).get_all_items())


def real_users() -> set[str]:
    """Whom the keyring has entries for, without the numbers of parts."""
    with closing(connection()) as bus:
        names = [item.get_attributes()["username"] for item in items(bus)]
    return {name.partition(")/")[0].rstrip(")") + ")" for name in names}

"""A real Secret Service: gnome-keyring on a session bus of its own, unlocked or locked."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest
    import secretstorage

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
        """What a program needs to be in this session."""
        return {
            "DBUS_SESSION_BUS_ADDRESS": self.address,
            "XDG_DATA_HOME": str(self.home),
            "XDG_RUNTIME_DIR": self.sockets,
        }

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be in this session until the test is over."""
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
        for name, value in self.settings().items():
            monkeypatch.setenv(name, value)

    def clear(self) -> None:
        """Delete every entry."""
        with closing(connection()) as bus:
            for item in items(bus):
                item.delete()

    def lock(self) -> None:
        """Lock the keyring, as a screen saver may."""
        with closing(connection()) as bus:
            _collection(bus).lock()

    def signal(self, number: int) -> None:
        """Stop the daemon, have it go on, or kill it."""
        for daemon in self.daemons:
            daemon.send_signal(number)

    def start(self, mode: str) -> None:
        """Start gnome-keyring, "--unlock" with the password "pw" or just "--start"."""
        self.daemons.append(_daemon(self, mode))


@contextmanager
def unlocked(home: Path) -> Iterator[Session]:
    """A session with an unlocked keyring."""
    with bus(home) as session:
        session.start("--unlock")
        yield session


@contextmanager
def bus(home: Path) -> Iterator[Session]:
    """A session with nothing on its bus, and nothing that could be started there."""
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
    """gnome-keyring; it has answered on the bus when this returns."""
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
    _wait(session)
    return daemon


def _wait(session: Session) -> None:
    """Return when the daemon has answered on the bus; it may take a few tenths of a second."""
    open_dbus_connection = import_module("jeepney.io.blocking").open_dbus_connection  # untyped
    from secretstorage import check_service_availability

    with closing(open_dbus_connection(session.address)) as bus:
        for _ in range(500):
            if check_service_availability(bus):
                return
            time.sleep(0.02)
    raise AssertionError("gnome-keyring-daemon has not come up")


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
    """All entries."""
    return list(_collection(bus).get_all_items())


def users() -> set[str]:
    """Whom the keyring has entries for, without the numbers of parts."""
    with closing(connection()) as bus:
        names = [item.get_attributes()["username"] for item in items(bus)]
    return {name.partition(")/")[0].rstrip(")") + ")" for name in names}

"""A real quetz: a server that takes a key in ``/t/<key>/`` only, and no ``Authorization``.

It needs a quetz of the package index in an environment of its own, named by ``TEST_QUETZ``
(the path of its command): ``pip install quetz-server fastapi==0.105.0 typer==0.9.0 click==8.1.7``.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests

from conda_token_plugin.tokens.token import AuthScheme
from tests.support.secret_search import pieces, printed, stored, written
from tests.support.stored_tokens import put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.end_to_end.conda.report import Table
    from tests.support.machine import Machine

pytestmark = [pytest.mark.conda, pytest.mark.slow]

COMMAND = os.environ.get("TEST_QUETZ", "")
ADMIN = "alice"
SETTINGS = f"""
[github]
client_id = ""
client_secret = ""
[sqlalchemy]
database_url = "sqlite:///./quetz.sqlite"
[session]
secret = "{"0" * 64}"
https_only = false
[users]
admins = ["dummy:{ADMIN}"]
"""
NEXT_WEEK, LONG_AGO = datetime.now(timezone.utc) + timedelta(days=7), "2020-01-01"
PRIVATE = ("vault", "annex")


@dataclass(frozen=True, slots=True)
class Quetz:
    """A running server, and the session of its administrator."""

    url: str
    admin: requests.Session

    def channel(self, name: str) -> str:
        """The address of a channel."""
        return f"{self.url}/get/{name}"

    def key(self, *, channel: str = "vault", expires: str = f"{NEXT_WEEK:%Y-%m-%d}") -> str:
        """A key that opens one channel until that day."""
        role = {"channel": channel, "package": None, "role": "member"}
        wish = {"description": "a test", "roles": [role], "expire_at": expires}
        made = self.admin.post(f"{self.url}/api/api-keys", json=wish, timeout=30)
        made.raise_for_status()
        return str(made.json()["key"])

    def revoke(self, key: str) -> None:
        """Take a key back."""
        self.admin.delete(f"{self.url}/api/api-keys/{key}", timeout=30).raise_for_status()


@pytest.fixture(scope="session")
def quetz(tmp_path_factory: pytest.TempPathFactory, built_channels: Path) -> Iterator[Quetz]:
    """The server with two private channels, each with the packages of acme/main."""
    if not COMMAND:
        pytest.skip("TEST_QUETZ names no quetz (see this file's docstring)")
    from conda_token_plugin.sandbox.repository.packages import build_channels

    folder = tmp_path_factory.mktemp("quetz")
    (folder / "config.toml").write_text(SETTINGS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ("run", "here", "--copy-conf", "config.toml", "--dev", "--port", str(port))
    settings = {"HOME": str(folder), "PATH": os.defpath}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [COMMAND, *words], cwd=folder, env=settings, stdout=log, stderr=log
        )
    try:
        running = Quetz(f"http://127.0.0.1:{port}", requests.Session())
        running.admin.trust_env = False
        _await(lambda: running.admin.get(f"{running.url}/api/dummylogin/{ADMIN}", timeout=5).ok)
        for name in PRIVATE:
            _fill(running, name, packages=build_channels(built_channels) / "acme" / "main")
        yield running
        running.admin.close()
    finally:
        server.terminate()
        server.wait()


def _fill(quetz: Quetz, name: str, *, packages: Path) -> None:
    wish = {"name": name, "private": True}
    quetz.admin.post(f"{quetz.url}/api/channels", json=wish, timeout=30).raise_for_status()
    for path in packages.glob("*/acme-*"):
        files: Any = {"files": (path.name, path.read_bytes())}
        where = f"{quetz.url}/api/channels/{name}/files/"
        quetz.admin.post(where, files=files, timeout=30).raise_for_status()
    index = f"{quetz.channel(name)}/linux-64/repodata.json"
    _await(lambda: b"acme-tools" in quetz.admin.get(index, timeout=30).content)


def _await(ready: Any) -> None:
    """Return when the server is ready. The test's time limit applies."""
    while True:
        with suppress(requests.ConnectionError):  # it is not up yet
            if ready():
                return
        time.sleep(0.2)


def test_quetz_channel_opens_and_the_key_is_not_printed_or_written(
    machine: Machine, quetz: Quetz, solver: str, table: Table
) -> None:
    key = quetz.key()
    machine.variables["CONDA_SOLVER"] = solver
    channel = machine.only(quetz.channel("vault"))
    install = ("install", "--site", "-c", quetz.channel("vault"), "--send-as", "path")
    machine.conda("token", *install, "--token-env", "THE_KEY", THE_KEY=key).well()

    at = ("-y", "-p", str(machine.prefix), *channel)
    runs = [
        machine.conda("create", "-vvv", *at, "acme-hello=0.9").well(),
        machine.conda("install", "--json", *at, "acme-tools", "acme-hello=1.0").well(),
        machine.conda("list", "--explicit", "-p", str(machine.prefix)).well(),
        machine.conda("env", "export", "-p", str(machine.prefix)).well(),
    ]

    assert machine.installed() == {"acme-hello", "acme-tools"}
    assert stored(machine, among=pieces(key))
    assert not printed(runs, among=pieces(key))
    assert not written(machine, among=pieces(key))
    table.add(
        "a real quetz", solver=solver, channel="private", saw="repodata, .tar.bz2, .conda: /t/"
    )


@pytest.mark.parametrize("fault", ["expired", "revoked", "for another channel", "none"])
def test_invalid_quetz_key_ends_in_the_error_of_conda(
    machine: Machine, quetz: Quetz, fault: str, table: Table
) -> None:
    if fault != "none":
        keys = {"expired": {"expires": LONG_AGO}, "for another channel": {"channel": "annex"}}
        key = quetz.key(**keys.get(fault, {}))
        if fault == "revoked":
            quetz.revoke(key)
        put(
            machine,
            key,
            organization="quetz",
            scope=[quetz.channel("vault")],
            scheme=AuthScheme.PATH,
        )

    refused = machine.create("--json", *machine.only(quetz.channel("vault")), "acme-hello").badly()

    assert refused.json["status_code"] in {401, 403}
    if fault != "none":
        assert f"token …{key[-4:]} of quetz" in str(refused.json)
        assert not printed([refused], among=pieces(key))
    table.add("a real quetz", solver="classic", channel=f"key: {fault}", saw="refused")

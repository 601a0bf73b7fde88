"""`python -m conda_token_plugin.sandbox`, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.certificates import Authority

COMMAND = [sys.executable, "-m", "conda_token_plugin.sandbox"]


@contextmanager
def running(scratch: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """The process and the first line that it has printed."""
    scratch.mkdir()
    process = subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(scratch)},
    )
    with process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *options], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_command_prints_its_addresses_serves_and_leaves_no_files(
    tmp_path: Path, number: signal.Signals
) -> None:
    scratch = tmp_path / "scratch"
    with running(scratch) as (process, introduction):
        assert list(introduction) == ["service", "repo", "api_key", "organizations"]
        assert introduction["organizations"] == ["acme", "globex"]
        assert introduction["repo"] == f"{introduction['service']}/repo/"
        headers = {"Authorization": f"Bearer {introduction['api_key']}"}
        with requests.Session() as session:  # which keeps its connection open
            mine = f"{introduction['service']}/api/organizations/my"
            listed = session.get(mine, headers=headers, timeout=10).json()
            process.send_signal(number)
            rest = process.communicate(timeout=20)
    assert [o["name"] for o in listed] == ["acme", "globex"]
    assert (process.returncode, rest) == (0, ("", ""))
    assert list(scratch.iterdir()) == []


def test_command_listens_on_loopback_only(tmp_path: Path) -> None:
    with running(tmp_path / "scratch") as (_, introduction):
        port = introduction["service"].rpartition(":")[2]
        # 127.0.0.2 is loopback too, and would be served if the server listened everywhere.
        # In a process of its own: it is outside of the empty home.
        code = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)"
        tried = {
            host: subprocess.run(
                [sys.executable, "-c", code, host, port], capture_output=True, check=False
            ).returncode
            for host in ("127.0.0.1", "127.0.0.2")
        }
    assert tried == {"127.0.0.1": 0, "127.0.0.2": 1}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "many"], "'many' is not a port number from 0 to 65535"),
        (["--port", "65536"], "'65536' is not a port number from 0 to 65535"),
        (["--port", "-1"], "'-1' is not a port number"),
        (["--port"], "expected one argument"),
        (["acme"], "unrecognized arguments: acme"),
        (["--certificate", "x.pem"], "--certificate and --private-key go together"),
        (["--certificate", "x.pem", "--private-key", "y.pem"], "No such file or directory"),
    ],
)
def test_bad_arguments_are_reported_in_one_line(options: list[str], words: str) -> None:
    done = run(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr


def test_invalid_certificate_is_reported_in_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    done = run("--certificate", str(empty), "--private-key", str(empty))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_port_in_use_is_reported_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("--port", port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "python -m conda_token_plugin.sandbox: "
        f"cannot serve on port {port}: Address already in use\n"
    )


def test_missing_library_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "msgpack.py").write_text("raise ModuleNotFoundError('none here')")
    done = subprocess.run(
        COMMAND,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert 'pip install "conda-token-plugin[demo]"' in done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_command_with_a_certificate_serves_https(
    tmp_path: Path, authority: Authority, host: str
) -> None:
    certificate, key = map(str, authority.pair("127.0.0.1", "localhost"))
    trusted = str(authority.file)
    options = ("--host", host, "--certificate", certificate, "--private-key", key)
    with running(tmp_path / "scratch", *options) as (_, introduction):
        assert introduction["service"].startswith(f"https://{host}:")
        index = f"{introduction['repo']}anaconda-tools/noarch/repodata.json"
        assert requests.get(index, verify=trusted, timeout=10).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(index, timeout=10)
        # A client that does not trust the certificate does not stop the server.
        assert requests.get(index, verify=trusted, timeout=10).status_code == 200


def test_import_of_the_sandbox_loads_no_library_and_nothing_else_of_the_package() -> None:
    code = (
        "import sys, conda_token_plugin.sandbox\n"
        "print(*sorted(m for m in sys.modules if m.startswith('conda_token_plugin')"
        " and not m.startswith('conda_token_plugin.sandbox')), end=';')\n"
        "print(*(m for m in ('msgpack', 'conda_package_streaming', 'requests', 'rattler')"
        " if m in sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "conda_token_plugin;\n"

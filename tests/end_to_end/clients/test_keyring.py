"""A real Secret Service holds the export, and py-rattler reads it from there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.rattler import CLIENT, needs_rattler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.machine import Machine

DAEMON = "gnome-keyring-daemon"
NEEDED = ("dbus-run-session", DAEMON)
MISSING = [name for name in NEEDED if shutil.which(name) is None]

pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"there is no {', '.join(MISSING)}"),
    needs_rattler,
]

NATIVE = {"PYTHON_KEYRING_BACKEND": ""}
"""In the tests' sealed room it names a keyring that holds nothing."""

DRIVER = """
import json, subprocess, sys
steps = json.load(sys.stdin)
done = [subprocess.run([sys.executable, *step], capture_output=True, text=True) for step in steps]
print(json.dumps([[one.returncode, one.stdout, one.stderr] for one in done]))
"""


def in_session(machine: Machine, *steps: list[str]) -> list[tuple[int, str, str]]:
    """Run the steps one after another beside an unlocked keyring that nobody else has."""
    unlocked = f'printf "\\n" | {DAEMON} --unlock --components=secrets >/dev/null && exec "$@"'
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", unlocked, "-", sys.executable, "-c", DRIVER],
        env=_variables(machine),
        input=json.dumps(steps),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [tuple(step) for step in json.loads(done.stdout)]


def _variables(machine: Machine) -> Mapping[str, str]:
    run = machine.folder / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    return machine.variables | {"XDG_RUNTIME_DIR": str(run), **NATIVE}


def ours(*words: str) -> list[str]:
    return ["-m", "conda_token_plugin", *words]


def test_rattler_reads_the_exported_keyring_entry(machine: Machine) -> None:
    value = machine.install("acme", with_conda=False)
    url = machine.sandbox.url_of("acme", "main")
    exported, installed, removed, refused = in_session(
        machine,
        ours("export", "rattler", "--keyring", "--json"),
        [*CLIENT, url, "acme-tools", str(machine.folder / "a")],
        ours("export", "rattler", "--remove", "--json"),
        [*CLIENT, url, "acme-tools", str(machine.folder / "b")],
    )
    assert exported[0] == 0, exported
    assert json.loads(exported[1])["exported"][0]["place"] == "keyring:rattler"
    assert installed[0] == 0, installed
    assert json.loads(removed[1])["removed"][0]["outcome"] == "removed"
    assert refused[0] != 0
    assert not (machine.home / ".rattler").exists()
    assert value not in str([exported, removed])


def test_export_keeps_a_keyring_entry_of_another_program(machine: Machine) -> None:
    machine.install("acme", with_conda=False)
    held = json.dumps({"BearerToken": "theirs"})
    theirs = (
        "import keyring.backends.SecretService as s, sys;"
        f"k = s.Keyring(); k.set_password('rattler', '127.0.0.1', {held!r})"
    )
    look = (
        "import keyring.backends.SecretService as s;"
        "print(s.Keyring().get_password('rattler', '127.0.0.1'))"
    )
    _, refused, left = in_session(
        machine, ["-c", theirs], ours("export", "rattler", "--keyring"), ["-c", look]
    )
    assert refused[0] == 7
    assert "another credential" in refused[2]
    assert left[1].strip() == held


def test_export_without_a_keyring_is_one_error_line_and_writes_nothing(machine: Machine) -> None:
    machine.install("acme", with_conda=False)
    nowhere = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x", **NATIVE}
    ran = machine.plugin("export", "rattler", "--keyring", **nowhere)
    assert ran.code == 6
    assert ran.err.count("\n") == len(("error", "hint"))
    assert "keyring" in ran.err
    assert not (machine.home / ".rattler").exists()


def test_export_to_a_keyring_that_stores_nothing_fails(machine: Machine) -> None:
    machine.install("acme", with_conda=False)
    ran = machine.plugin("export", "rattler", "--keyring")
    assert ran.code == 6
    assert "did not keep what was put into it" in ran.err

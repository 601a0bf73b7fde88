"""An export that is killed at any step leaves the old or the new file of the tool."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections import Counter

    from tests.support.machine import Machine

KILLED = """
import os, signal, sys
from conda_token_plugin.gateways import files
calls = 0
def killing(name):
    call = getattr(files, name)
    def killed(*args, **kwargs):
        global calls
        for moment in (0, 1):
            if moment:
                result = call(*args, **kwargs)
            calls += 1
            if calls == int(sys.argv[1]):
                os.kill(os.getpid(), signal.SIGKILL)
        return result
    return killed
for name in ("fill", "put", "sync", "clear"):
    setattr(files, name, killing(name))
from conda_token_plugin.cli import main
code = main(sys.argv[2:], prog="conda-token-plugin")
raise SystemExit(code)
"""

BEFORE = '{\n  "prefix.dev": {"BearerToken": "theirs"}\n}\n'
FEWEST_STEPS = 20
EXPORT = ["export", "rattler", "dotenv", "--yes"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL"),
]


def test_a_kill_at_any_step_leaves_whole_files_and_can_be_undone(
    machine: Machine, count: Counter[str]
) -> None:
    value = machine.install("acme", with_conda=False)
    path = machine.home / ".rattler" / "credentials.json"
    path.parent.mkdir()
    path.write_text(BEFORE)
    steps = 0
    while (ran := machine.python("-c", KILLED, str(steps + 1), *EXPORT)).code != 0:
        steps += 1
        assert ran.code == -signal.SIGKILL
        held = json.loads(path.read_text())
        assert held.pop("127.0.0.1", {"CondaToken": value}) == {"CondaToken": value}
        assert held == json.loads(BEFORE)
        machine.plugin("export", "rattler", "dotenv", "--remove").well()
        assert json.loads(path.read_text()) == json.loads(BEFORE)
        store = str(machine.store_folder)
        left = [one for one in machine.files() if value.encode() in one.read_bytes()]
        assert {str(one).startswith(store) for one in left} == {True}
    assert steps >= FEWEST_STEPS
    count["kills"] += steps


def test_kill_during_a_second_export_keeps_the_record_of_the_first(
    machine: Machine, count: Counter[str]
) -> None:
    machine.install("acme", with_conda=False)
    path = machine.home / ".rattler" / "credentials.json"
    machine.plugin("export", "rattler").well()
    machine.install("acme", with_conda=False)
    steps = 0
    while (ran := machine.python("-c", KILLED, str(steps + 1), *EXPORT)).code != 0:
        steps += 1
        assert ran.code == -signal.SIGKILL
    assert steps >= FEWEST_STEPS / 2
    count["kills"] += steps
    machine.plugin("export", "rattler", "dotenv", "--remove").well()
    assert not path.exists()

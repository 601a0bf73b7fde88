"""What the plugin costs a command that uses no token: counted in modules, not in seconds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

SCRIPT = """
import json, sys
from conda.cli.main import main
code = main(*sys.argv[1:])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize("command", [("info",), ("config", "--show-sources"), ("list",)])
def test_plain_command_loads_two_modules_of_the_plugin(
    machine: Machine, command: tuple[str, ...]
) -> None:
    machine.install("acme")

    more = _modules(machine, *command) - _modules(machine, *command, without=True)

    assert more == {"conda_token_plugin", "conda_token_plugin.plugin"}


def test_command_without_plugins_loads_nothing_of_the_plugin(machine: Machine) -> None:
    token = machine.install("acme")
    url = machine.sandbox.url_of("acme", "main")

    refused = machine.conda(
        *("--no-plugins", "create", "-y", "-p", str(machine.prefix)),
        *("--override-channels", "-c", url, "acme-hello"),
    ).badly()

    assert "403" in refused.said
    assert "token" not in refused.said.replace("conda-token-plugin", "")
    assert token not in {one.authorization for one in machine.sandbox.requests}


def _modules(machine: Machine, *command: str, without: bool = False) -> set[str]:
    """The modules that ``conda command`` has loaded by its end."""
    script = _BLOCKED + SCRIPT if without else SCRIPT
    ran = machine.python("-c", script, *command).well()
    return set(json.loads(ran.err.splitlines()[-1]))


_BLOCKED = """
# As if it were not installed: its entry point is not there.
from importlib import metadata
distributions = metadata.distributions
metadata.distributions = lambda **by: (
    found for found in distributions(**by) if found.metadata["name"] != "conda-token-plugin"
)
"""

"""Export, import, audit and run work without conda, and load only what they need."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.machine import Machine

LOADED = """
import json, sys
sys.modules["conda"] = None
from conda_token_plugin.cli import main
try:
    code = main(sys.argv[1:], prog="conda-token-plugin")
finally:
    json.dump(sorted(name.partition(".")[0] for name in sys.modules), sys.stderr)
"""


def loaded(machine: Machine, *words: str) -> set[str]:
    ran = machine.python("-c", LOADED, *words)
    return set(json.loads(ran.err.splitlines()[-1]))


@pytest.mark.parametrize(
    "words",
    [
        ["export", "rattler", "--org", "acme", "--quiet"],
        ["export", "rattler", "--remove", "--quiet"],
        ["run", "--", "true"],
        ["export", "docker", "--quiet"],
        ["audit", "--quiet"],
    ],
)
def test_command_loads_no_keyring_network_or_rich(machine: Machine, words: list[str]) -> None:
    machine.install("acme", with_conda=False)
    assert not loaded(machine, *words) & {"keyring", "requests", "rich", "ruamel", "rattler"}


def test_command_succeeds_where_conda_cannot_be_imported(machine: Machine) -> None:
    """``Machine.plugin`` runs commands where ``import conda`` fails."""
    machine.install("acme", with_conda=False)
    for words in (
        ["export", "rattler", "conda", "--yes"],
        ["import", "--dry-run"],
        ["audit", str(machine.home / ".condarc")],
        ["run", "--", "true"],
        ["export", "rattler", "conda", "--remove"],
    ):
        if words[0] == "audit":
            (machine.home / ".condarc").write_text("channels: []\n")
        machine.plugin(*words).well()


@pytest.mark.skipif(find_spec("conda") is not None, reason="conda is installed here")
def test_export_succeeds_in_an_environment_without_conda(machine: Machine) -> None:
    machine.install("acme", with_conda=False)
    ran = machine.python("-m", "conda_token_plugin", "export", "rattler").well()
    assert "Wrote the token" in ran.err

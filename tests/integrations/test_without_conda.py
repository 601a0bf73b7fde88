"""Export, import, audit and run work without conda, and load only what they need."""

from __future__ import annotations

import ast
import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import conda_token_plugin

if TYPE_CHECKING:
    from tests.support.machine import Machine

PACKAGE = Path(conda_token_plugin.__file__).parent
MODULES = [
    *sorted((PACKAGE / "integrations").rglob("*.py")),
    *(
        PACKAGE / "cli" / "commands" / f"{name}.py"
        for name in ("export", "import_", "audit", "run")
    ),
]
LOADED = """
import json, sys
sys.modules["conda"] = None
from conda_token_plugin.cli import main
try:
    code = main(sys.argv[1:], prog="conda-token-plugin")
finally:
    json.dump(sorted(name.partition(".")[0] for name in sys.modules), sys.stderr)
"""


def imported(path: Path) -> set[str]:
    """Return the names of all top-level packages that a file imports, also inside of functions."""
    tree = ast.parse(path.read_text("utf-8"))
    plain = [
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    ]
    parts = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in (*plain, *parts)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_does_not_import_conda_or_keyring(path: Path) -> None:
    assert not imported(path) & {"conda", "keyring"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_module_does_not_read_variables_or_print(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not [name for name in ("os.environ", "getenv", "print(") if name in text]


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

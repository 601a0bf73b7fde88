"""The plan of the house, held: who may import whom, and each thing that exactly one room does."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import conda_token_plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "conda_token_plugin"
PACKAGE = Path(conda_token_plugin.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
LONGEST = 300
WAIVER = re.compile(
    r"# (noqa\b(: [A-Z0-9, ]+[0-9])?|type: ignore\b(\[[a-z, -]+\])?)(?!.* (#|--) \S)"
)
"""A comment that excuses a line from a rule, with nothing behind it that says why."""

LAYERS = {
    # A room, and the rooms it may import from. Everything may import `errors`.
    "errors": set(),
    "secret": set(),
    "tokens": set(),
    "channels": set(),
    "sending": {"secret"},
    "pasted": {"secret"},
    "environment": {"channels", "secret"},
    "store": {"tokens", "secret", "environment"},
    "lookup": {"tokens", "channels", "secret", "environment", "store", "sending"},
    "holdings": {"environment", "lookup"},
    "pending": {"tokens"},
    "condarc": {"channels", "tokens", "environment"},
    "sandbox": {"sandbox"},
    "demo": {"environment"},
}


def room(module: str) -> str:
    """`conda_token_plugin.gateways.files` is in the room `store`."""
    return module.split(".")[1] if "." in module else ""


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Absolute names of all that a file imports, wherever in it, but for types alone."""
    package = module_of(path).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    for node in _at_run_time(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            continue
        yield child
        yield from _at_run_time(child)


def importers(library: str) -> set[str]:
    return {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if any(name.split(".")[0] == library for name in imports(path))
    }


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_a_room_imports_only_from_those_below_it(name: str) -> None:
    allowed = {*LAYERS[name], name, "errors", ""}
    for path in MODULES:
        if room(module_of(path)) != name:
            continue
        ours = {module for module in imports(path) if module.split(".")[0] == NAME}
        used = {room(module) for module in ours} - {"__version__", "HANDLER"}
        assert used <= allowed, f"{path.name} imports {used - allowed}"


def test_nothing_imports_the_sandbox_and_it_imports_nothing_of_ours() -> None:
    users = {
        path for path in MODULES if any(m.startswith(f"{NAME}.sandbox") for m in imports(path))
    }
    assert all("sandbox" in path.parts for path in users)


def test_only_these_modules_know_that_conda_exists() -> None:
    assert importers("conda") <= CONDA


def test_only_these_modules_know_keyring() -> None:
    assert importers("keyring") <= KEYRING


def test_only_the_renderer_prints() -> None:
    printers = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
                printers.add(str(path.relative_to(PACKAGE)))
            if isinstance(node, ast.Attribute) and node.attr in {"stdout", "__stdout__"}:
                printers.add(str(path.relative_to(PACKAGE)))
    assert {name for name in printers if not name.startswith("sandbox/")} <= PRINTERS


def test_only_the_door_catches_what_it_did_not_expect() -> None:
    catchers = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and getattr(node.type, "id", "") in {"", "Exception", "BaseException"}
        and not isinstance(node.type, ast.Tuple)
        and not isinstance(node.type, ast.Attribute)
    }
    assert {name for name in catchers if not name.startswith("sandbox/")} <= CATCHERS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_has_one_reason_to_exist(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)) or not text.strip()
    assert len(text.splitlines()) <= LONGEST


def test_every_exception_to_a_rule_gives_its_reason() -> None:
    root = PACKAGE.parent
    files = (
        path
        for top in ("conda_token_plugin", "docs", "recipe", "tests")
        for path in (root / top).rglob("*.py")
    )
    bare = [
        f"{path.relative_to(root)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1)
        if WAIVER.search(line)
    ]
    assert bare == []


CONDA = {
    "plugin.py",
    "auth.py",
    "others.py",  # finds the handler that conda would have asked
    "checkup.py",  # runs the health checks with conda's settings
    "alone.py",  # shows other plugins conda's settings without our entries
    "conda_channels.py",  # `conda token test` asks through the sessions of conda itself
}
KEYRING = {
    "store/keyring_vault.py",
    "store/probe_child.py",  # the child process that a hanging keyring cannot take along
}
PRINTERS = {
    "cli/render.py",
    "demo/client.py",  # a program of its own, whose output this is
    "demo/stage.py",  # reads the standard output of a child
    "store/probe.py",  # as the stage
}
CATCHERS = {
    "watching.py",  # as auth.py
    "auth.py",  # a bug of ours must not stop conda: it is said once, and the request goes on
    "lookup.py",  # hands whatever it was to the threads that wait
    "store/keyring_vault.py",  # backends raise whatever their system raises
}

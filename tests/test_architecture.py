"""The structure of the package: who may import whom, and each job that exactly one module does."""

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
MAX_LINES = 300
MAX_TOP_LEVEL = 12
WAIVER = re.compile(
    r"# (noqa\b(: [A-Z0-9, ]+[0-9])?|type: ignore\b(\[[a-z, -]+\])?)(?!.* (#|--) \S)"
)
"""A comment that exempts a line from a rule and gives no reason."""

BELOW_STORE = {"gateways", "settings", "tokens", "errors"}
BELOW_SERVICE = {"store", "integrations", *BELOW_STORE}
BELOW_OPERATIONS = {"service", *BELOW_SERVICE}
BELOW_AUTH = {"operations", *BELOW_OPERATIONS}
LAYERS: dict[str, set[str]] = {
    # Each package (or top-level module), and the packages that it may import from.
    "errors": set(),
    "tokens": {"errors"},
    "settings": {"tokens", "errors"},
    "gateways": {"settings", "tokens", "errors"},
    "integrations": BELOW_STORE,
    "store": BELOW_STORE,
    "service": BELOW_SERVICE,
    "operations": BELOW_OPERATIONS,
    "auth": BELOW_AUTH,
    "cli": {"auth", *BELOW_AUTH},
    "plugin": {"cli", "auth", "operations", "errors"},
    "sandbox": set(),
    "__main__": {"cli"},
}
CONDA = {
    "plugin.py",
    "auth/handler.py",
    "auth/fallback.py",
    "auth/session.py",
    "gateways/http/network.py",  # our own requests use the network as conda does
    "cli/doctor.py",  # runs the health checks with conda's settings
}
KEYRING = {
    "gateways/keyring.py",
    "store/keyring_probe.py",  # in a child process, because a keyring backend can hang
}
ENVIRONMENT = {"settings/__init__.py", "settings/paths.py"}
PRINTERS = {
    "cli/output.py",
    "sandbox/rattler_client.py",  # a program of its own, whose output this is
    "cli/demo_stage.py",  # reads the standard output of a child
    "gateways/command.py",  # the same
}
CATCHERS = {
    "gateways/bounded.py",  # passes the error on to the thread that waits
    "gateways/keyring.py",  # keyring backends raise any type of error
    "store/keyring_probe.py",  # the same
}


def package_of(module: str) -> str:
    """Return `store` for `conda_token_plugin.store.files`."""
    return module.split(".")[1] if "." in module else ""


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_of(path): path for path in MODULES}


def imports(path: Path) -> Iterator[str]:
    """Yield the absolute name of every import in a file, also in functions and for types."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in NAMES else str(node.module)


def own_imports(path: Path) -> set[str]:
    """Return the modules of this package that a file imports."""
    return {name for name in imports(path) if name in NAMES} - {module_of(path), NAME}


def importers(library: str) -> set[str]:
    return {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if any(name.split(".")[0] == library for name in imports(path))
    }


def test_every_package_has_a_layer() -> None:
    assert {package_of(name) for name in NAMES} - {""} == set(LAYERS)


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_package_imports_only_from_packages_below_it(name: str) -> None:
    upward = [
        f"{module} imports {other}"
        for module, path in NAMES.items()
        if package_of(module) == name
        for other in sorted(own_imports(path))
        if package_of(other) not in {name, *LAYERS[name]}
    ]
    assert upward == []


def test_modules_have_no_import_cycle() -> None:
    graph = {name: own_imports(path) for name, path in NAMES.items()}
    while graph:
        leaves = {name for name, others in graph.items() if not others & graph.keys()}
        assert leaves, f"a cycle is among {sorted(graph)}"
        graph = {name: others for name, others in graph.items() if name not in leaves}


def test_top_level_has_at_most_twelve_entries() -> None:
    entries = {path.name for path in PACKAGE.iterdir() if not path.name.startswith("__")}
    assert len(entries - {"py.typed", "schemas"}) <= MAX_TOP_LEVEL  # schemas has no code


def test_commands_do_not_import_one_another() -> None:
    commands = f"{NAME}.cli.commands."
    for name, path in NAMES.items():
        if name.startswith(commands):
            assert not [other for other in own_imports(path) if other.startswith(commands)], name


def test_conda_is_imported_only_by_the_listed_modules() -> None:
    assert importers("conda") <= CONDA


def test_keyring_is_imported_only_by_the_listed_modules() -> None:
    assert importers("keyring") <= KEYRING


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"}
    }
    assert {name for name in readers if not name.startswith("sandbox/")} <= ENVIRONMENT


def test_only_the_output_module_prints() -> None:
    printers = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print":
                printers.add(str(path.relative_to(PACKAGE)))
            if isinstance(node, ast.Attribute) and node.attr in {"stdout", "__stdout__"}:
                printers.add(str(path.relative_to(PACKAGE)))
    assert {name for name in printers if not name.startswith("sandbox/")} <= PRINTERS


def test_only_the_listed_modules_catch_every_exception() -> None:
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
def test_module_has_a_docstring_and_a_bounded_length(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(text)) or not text.strip()
    assert len(text.splitlines()) <= MAX_LINES


def test_every_exemption_from_a_rule_gives_its_reason() -> None:
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

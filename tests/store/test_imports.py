"""Imports of the store: reading needs only the standard library."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.store import Store
from tests.support import tokens

if TYPE_CHECKING:
    from pathlib import Path

ACTS = {
    "import": "",
    "open": "store.tokens()",
    "find": "store.covering('https://repo.example/repo/acme')",
    "secret": f"store.secret({tokens.token('acme').key!r})",
    "login": "store.login('x')",
    "update": f"store.update(store.token({tokens.token('acme').key!r}))",
    "write": "from tests.support.tokens import *; store.add(token('new'), secret('new'))",
}
READING = ("import", "open", "find", "secret", "login")


def loaded(folder: Path, act: str) -> set[str]:
    """Return the top-level packages outside the standard library that ``act`` imports."""
    program = (
        "import sys; before = {*sys.modules}\n"
        "from pathlib import Path; from conda_token_plugin.store import Store\n"
        f"store = Store(Path({str(folder)!r}), choice='file'); {ACTS[act]}\n"
        "names = {n.partition('.')[0] for n in {*sys.modules} - before}\n"
        "import json; print(json.dumps(sorted(names - sys.stdlib_module_names)))"
    )
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(child.stdout))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = Store(tmp_path / "store", choice="file")
    store.add(tokens.token("acme"), tokens.secret(1))
    return store.folder


@pytest.mark.parametrize("act", READING)
def test_reading_imports_only_the_standard_library(folder: Path, act: str) -> None:
    assert loaded(folder, act) == {"conda_token_plugin"}


def test_update_imports_the_lock_and_no_keyring(folder: Path) -> None:
    assert "filelock" in loaded(folder, "update")
    assert "keyring" not in loaded(folder, "update")


def test_writing_to_files_imports_no_keyring(folder: Path) -> None:
    assert "keyring" not in loaded(folder, "write")


def test_creating_a_store_object_does_no_io(tmp_path: Path) -> None:
    Store(tmp_path / "no" / "such" / "folder")
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]

"""A home with tokens in its store, one or ten thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.budgets.keeping import keep

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own home, where secrets are kept in files."""
    monkeypatch.setenv("CONDA_TOKEN_STORE", "file")
    monkeypatch.setenv("CONDA_TOKEN_HOME", str(empty_home / "tokens"))
    monkeypatch.setenv("CONDA_REPORT_ERRORS", "false")
    monkeypatch.setenv("CONDA_PKGS_DIRS", str(empty_home / "pkgs"))
    monkeypatch.setenv("CONDA_SOLVER", "classic")
    return empty_home


@pytest.fixture
def store(home: Path) -> Path:
    """The folder of a store that holds one token."""
    return keep(home / "tokens", count=1)

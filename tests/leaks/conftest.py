"""A home folder with every kind of secret."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Shell, shell
from tests.leaks.session import Session

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["shell"]  # a fixture


@pytest.fixture
def session(
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> Session:
    """Return a session whose temporary files are below the folder that is searched."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    shell.set("TMPDIR", str(temporary))
    session = Session(shell, monkeypatch, caplog)
    session.store_secrets()
    return session

"""How long to look, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pathlib import Path

BOUNDED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""So that the folder takes seconds; a fuzzer run by hand looks for longer."""


@pytest.fixture
def home(sealed_room: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of the test, which is also the folder that commands are typed in."""
    monkeypatch.chdir(sealed_room)
    return sealed_room

"""`list`: what it prints, also for conda's own `--json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.machine import Machine


@pytest.mark.conda
@pytest.mark.parametrize(
    "words", [("--json", "token", "list"), ("token", "--json", "list"), ("token", "list", "--json")]
)
def test_json_is_printed_wherever_the_option_is(machine: Machine, words: tuple[str, ...]) -> None:
    assert json.loads(machine.conda(*words).well().out) == []

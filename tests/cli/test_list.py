"""`list`: what it prints, also for conda's own `--json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.person import Person

    from tests.support.machine import Machine


@pytest.mark.conda
@pytest.mark.parametrize(
    "words", [("--json", "token", "list"), ("token", "--json", "list"), ("token", "list", "--json")]
)
def test_json_is_printed_wherever_the_option_is(person: Person, words: tuple[str, ...]) -> None:
    machine: Machine = person.machine
    assert json.loads(machine.conda(*words).well().out) == []

"""The person of the benchmarks answers, confirms, and notices what does not happen."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.hosts import Unmeasurable
from tests.benchmarks.person import Person, Step

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no pseudo-terminal")

ASK = ("sh", "-c", "printf 'name? '; read -r name; test \"$name\" = ada")


@pytest.fixture
def person(sandbox: Sandbox, tmp_path: Path) -> Person:
    return Person(
        user="grace",
        service=sandbox.service,
        authority=None,
        variables=dict(os.environ),
        folder=tmp_path,
    )


def test_person_counts_commands_questions_and_requests(person: Person, sandbox: Sandbox) -> None:
    url = f"{sandbox.repo}acme/main/noarch/repodata.json"
    get = (
        f"import urllib.request as u, contextlib as c\nwith c.suppress(OSError): u.urlopen({url!r})"
    )
    steps = [
        Step(command=ASK, answers=[("name? ", "ada\n")]),
        Step(command=[sys.executable, "-c", get]),
    ]

    wait = person.play(steps)

    assert (wait.commands, wait.questions, wait.requests) == (2, 1, 1)
    assert wait.seconds > 0


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(Step(command=["sh", "-c", "exit 3"]), id="command fails"),
        pytest.param(Step(command=["sh", "-c", "exit"], answers=[("x?", "y")]), id="no question"),
        pytest.param(Step(command=["sh", "-c", "sleep 0.3"], confirms=True), id="no login"),
        pytest.param(Step(command=ASK, answers=[("name? ", "bob\n")]), id="wrong answer"),
    ],
)
def test_person_reports_a_step_that_goes_another_way(person: Person, step: Step) -> None:
    with pytest.raises(Unmeasurable):
        person.play([step])

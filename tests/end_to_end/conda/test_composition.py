"""A URL that no token of ours covers is asked for as if the plugin were not there."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.conda.kinds import kinds
from tests.support.servers import RecordingServer, Request, recording
from tests.support.stored_tokens import put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.end_to_end.conda.report import Table
    from tests.support.machine import Machine

pytestmark = pytest.mark.conda

ASKER = Path(__file__).with_name("asker.py")
VALID, EXPIRED = "good-token-0123456789abcdef", "past-token-0123456789abcdef"

FEWEST = 50
"""Kinds of request that have to arrive."""
PLACES = {
    "another organization's": "/repo/other/main",
    "of a token that is dead": "/gone/main",
    "beside ours": "/repo/acme-evil/main",
}
"""Where URLs lie that no token covers. The handler is asked for the second kind only."""
NESTED = """
import json
from conda.base.context import context, reset_context
from conda_token_plugin.auth.fallback import entries_hidden
reset_context()
with entries_hidden():
    with entries_hidden():
        within = len(context.channel_settings)
    after = len(context.channel_settings)
print(json.dumps([within, after, min(1, len(context.channel_settings))]))
"""


@pytest.fixture
def wires() -> Iterator[tuple[RecordingServer, RecordingServer, RecordingServer]]:
    """The channel server, a proxy, and a proxy that asks for a password."""
    with recording() as wire, recording() as proxy, recording(asks=True) as asking:
        yield wire, proxy, asking


def test_request_of_an_uncovered_url_equals_that_without_the_plugin(
    machine: Machine, wires: tuple[RecordingServer, RecordingServer, RecordingServer], table: Table
) -> None:
    every = [
        _placed(case, wires[0], number=number, path=path)
        for number, path in enumerate(PLACES.values())
        for case in kinds(*wires)
    ]
    _hold(machine, wires[0])

    ours, answers = _asked(machine, every, wires=wires)
    theirs, other_answers = _asked(machine, every, "--without", wires=wires)

    assert answers == other_answers
    assert set(ours) == set(theirs)
    assert {name for name in ours if ours[name] != theirs[name]} == set()
    assert not [one for came in ours.values() for one in came if EXPIRED in str(one)]
    for number in range(len(PLACES)):  # those that stay away: no network, no server
        assert sum(name.startswith(f"{number:02}:") for name in ours) >= FEWEST
    count = len(every) // len(PLACES)
    saw = "the same, header for header, with and without the plugin"
    table.add(f"{count} kinds of request", solver="-", channel="not ours", saw=saw)


def test_covered_url_gets_the_token_beside_other_credentials(
    machine: Machine, wires: tuple[RecordingServer, RecordingServer, RecordingServer]
) -> None:
    wire = wires[0]
    _hold(machine, wire)
    every = [_placed(case, wire, number=0, path="/repo/acme/main") for case in kinds(*wires)]
    plain = ["nothing configured", "netrc", "binstar", "a handler by glob", "netrc for all"]

    came, _ = _asked(machine, [one for one in every if one["name"][4:] in plain], wires=wires)

    assert len(came) == len(plain)
    for arrivals in came.values():
        assert {one.header("Authorization") for one in arrivals} == {f"token {VALID}"}


def test_our_entries_are_hidden_from_a_handler_that_calls_another(
    machine: Machine, wires: tuple[RecordingServer, RecordingServer, RecordingServer]
) -> None:
    _hold(machine, wires[0])

    ran = machine.python("-c", NESTED).well()

    assert ran.json == [0, 0, 1]


def _hold(machine: Machine, wire: RecordingServer) -> None:
    """Store a valid token and an expired one, each with channels of its own."""
    now = datetime.now(timezone.utc)
    machine.variables["CONDA_TOKEN_REPO_URL"] = f"{wire.url}/repo/"
    put(machine, VALID, organization="acme", scope=[f"{wire.url}/repo/acme"])
    put(
        machine,
        EXPIRED,
        organization="gone",
        scope=[f"{wire.url}/gone", f"{wire.other_url}/gone"],
        expires=now - timedelta(days=3),
        checked=now,
    )


def _placed(
    case: dict[str, Any], wire: RecordingServer, *, number: int, path: str
) -> dict[str, Any]:
    """``case`` with its URLs below ``path``; each is marked, to be known again on the server."""
    mark = re.sub(r"\W", "_", f"{number}-{case['name']}")
    at, other = f"{wire.url}{path}/{mark}", f"{wire.other_url}{path}/{mark}"
    words = {
        "OTHERAT": other.replace("localhost", "LOCALHOST"),
        "USERAT": at.replace("//", "//ann:of%20the%2Furl@"),
        "ANNAT": at.replace("//", "//ann@"),
        "TOKENAT": f"{wire.url}/t/of-the-url{path}/{mark}",
        "AT": at,
        "NAME": f"{path[1:]}/{mark}",
        "MARK": mark,
    }
    text = json.dumps(case | {"name": f"{number:02}: {case['name']}"})
    for word, meaning in words.items():
        text = re.sub(rf"(?<![A-Z]){word}(?![A-Z])", meaning, text)
    return {**json.loads(text), "mark": mark}


def _asked(
    machine: Machine, every: list[dict[str, Any]], *flags: str, wires: tuple[RecordingServer, ...]
) -> tuple[dict[str, list[Request]], dict[str, list[str]]]:
    """What arrived in each case, and what came of it."""
    for wire in wires:
        wire.requests.clear()
    ran = machine.python(str(ASKER), *flags, stdin=json.dumps(every)).well()
    came = [one for wire in wires for one in wire.requests]
    by_case = {
        case["name"]: [one for one in came if re.search(rf"[/=]{case['mark']}(?!\w)", one.line)]
        for case in every
    }
    return {name: arrivals for name, arrivals in by_case.items() if arrivals}, ran.json

"""Budgets of every conda command: files, ``stat`` calls and function calls, due to the plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.budgets.keeping import BESIDE, COVERED, ELSEWHERE, keep
from tests.budgets.watching import counts

pytestmark = pytest.mark.conda

INSTALLED = """
import sys
from importlib import metadata
if sys.argv.pop(1) == "without":  # as if it were not installed: its entry point is not there
    every = metadata.distributions
    metadata.distributions = lambda **by: (
        found for found in every(**by) if "conda_token_plugin-" not in str(found._path)
    )
from tests.budgets.watching import calls, report, watched
"""
COMMAND = f"""{INSTALLED}
with watched() as traffic:
    from conda.cli.main import main
    codes = []
    count = calls(lambda: codes.append(main(*sys.argv[1:])))
report(codes=codes, calls=count, opened=traffic.opened, asked=traffic.asked)
"""
URLS = f"""{INSTALLED}
from conda.base.context import reset_context
from conda.gateways.connection.session import get_session
from conda.plugins.manager import get_plugin_manager
from requests import Request

reset_context()
get_plugin_manager()

def prepare(url):
    return get_session(url).prepare_request(Request("GET", url))

count = [calls(lambda: prepare(f"{{folder}}/x-{{number}}.conda"))
         for folder in sys.argv[1:] for number in range(3)]
headers = prepare(f"{{sys.argv[1]}}/x-3.conda").headers
report(calls=[count[at] for at in range(2, len(count), 3)], sent="Authorization" in headers)
"""
THE_PLUGIN, ITS_DROP_IN = 1_600, 20_000
"""Function calls of a command. Most of the first are those of imports and of pluggy; the second is
what conda does for one entry: 6,000 in 26.7, 15,000 before. All of `conda info`: 480,000."""
COVERED_URL, OTHER_URL = 0, 60
"""Function calls more for a further URL; without the plugin it is about 1,200."""
FILES = {"entry_points.txt", "__init__", "plugin"}


def run(script: str, *arguments: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ``script`` reports with the plugin and without it."""
    return counts(script, "with", *arguments), counts(script, "without", *arguments)


@pytest.mark.parametrize(
    "command", [("info",), ("config", "--show-sources"), ("list",)], ids=" ".join
)
@pytest.mark.usefixtures("store")
def test_conda_command_opens_two_modules_and_the_entry_points(command: tuple[str, ...]) -> None:
    with_it, without = run(COMMAND, *command)

    assert with_it["codes"] == without["codes"] in ([0], [None])
    more = set(with_it["opened"]) - set(without["opened"])
    ours = [Path(name) for name in more if "conda_token_plugin" in name]
    assert {path.name.partition(".cpython")[0].removesuffix(".py") for path in ours} == FILES


def test_conda_command_does_not_access_the_store(store: Path) -> None:
    found = counts(COMMAND, "with", "info")
    assert not [name for name in (*found["opened"], *found["asked"]) if str(store) in name]


def test_conda_command_with_the_plugin_stays_within_its_call_budget(home: Path) -> None:
    (home / ".condarc").write_text("channels: [conda-forge]\n")
    with_it, without = run(COMMAND, "info")
    assert 0 < with_it["calls"] - without["calls"] <= THE_PLUGIN


def test_drop_in_stays_within_the_call_budget_of_one_entry(home: Path) -> None:
    (home / ".condarc").write_text("channels: [conda-forge]\n")
    before = counts(COMMAND, "with", "info")["calls"]
    keep(home / "tokens", count=1)
    assert 0 < counts(COMMAND, "with", "info")["calls"] - before <= ITS_DROP_IN


@pytest.mark.parametrize("count", [1, 1_000])
def test_url_takes_a_few_calls_more_with_any_number_of_tokens(home: Path, count: int) -> None:
    keep(home / "tokens", count=count)
    with_it, without = run(URLS, COVERED, BESIDE, ELSEWHERE)

    assert (with_it["sent"], without["sent"]) == (True, False)
    more = [a - b for a, b in zip(with_it["calls"], without["calls"], strict=True)]
    assert more[0] <= COVERED_URL, more
    assert max(more[1:]) <= OTHER_URL, more

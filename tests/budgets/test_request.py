"""Budgets of a request: files, ``stat`` calls and modules for the first, then next to none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.budgets.keeping import BESIDE, COVERED, ELSEWHERE, VALUE, keep
from tests.budgets.watching import counts

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import sys
from tests.budgets.watching import calls, report, watched

before = set(sys.modules)
folder, first, *more = sys.argv[1:]
with watched() as one:
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store.lookup import Lookup
    from conda_token_plugin.tokens.authorization import header

    lookup = Lookup(Settings())
    def request(url):
        found = lookup.find(url)
        return found and header(found, secret=found.secret())
    value = request(first)
modules = sorted(set(sys.modules) - before)
with watched() as two:
    for url in more:
        request(url)
report(
    value=None if value is None else value.encode().decode(),
    modules=modules,
    opened=[one.opened_below(folder), two.opened_below(folder)],
    asked=[one.asked_below(folder), two.asked_below(folder)],
    calls=[calls(lambda: request(url)) for url in more],
)
"""
PACKAGES = tuple(f"{COVERED}/package-{number}-1.0-0.conda" for number in range(20))
LINUX = COVERED.replace("noarch", "linux-64")
CALLS, UNCOVERED_CALLS = 24, 10
ASKED, ASKED_OF_A_FOLDER = 8, 4
"""``stat`` calls below the store: for the first request, and for each further folder."""
OUR_MODULES = 20
"""Three of them are the empty `__init__` of a package."""
NOT_NEEDED = {"keyring", "requests", "rich", "ruamel", "filelock", "platformdirs", "oauthlib"}


@pytest.fixture(params=[1, 10_000])
def crowd(request: pytest.FixtureRequest, home: Path) -> Path:
    """A store of one token, and one of ten thousand."""
    return keep(home / "tokens", count=request.param)


def test_the_first_request_reads_the_index_once_and_its_secret_once(crowd: Path) -> None:
    found = counts(SCRIPT, str(crowd), *PACKAGES)

    assert found["value"] == f"token {VALUE}"
    index, secret = found["opened"][0]
    assert index == "index.jsonl"
    assert secret.startswith("secrets/")
    assert len(found["asked"][0]) <= ASKED


def test_another_package_of_the_folder_touches_no_file(crowd: Path) -> None:
    found = counts(SCRIPT, str(crowd), *PACKAGES)
    assert found["opened"][1] == []
    assert found["asked"][1] == []


def test_another_package_of_the_folder_takes_a_few_calls_however_many_tokens(crowd: Path) -> None:
    found = counts(SCRIPT, str(crowd), *PACKAGES)
    assert max(found["calls"]) <= CALLS


def test_another_folder_is_asked_about_and_not_read_again(crowd: Path) -> None:
    found = counts(SCRIPT, str(crowd), PACKAGES[0], f"{LINUX}/repodata.json.zst", PACKAGES[1])
    assert found["opened"][1] == []
    assert len(found["asked"][1]) <= ASKED_OF_A_FOLDER


@pytest.mark.parametrize("folder", [BESIDE, ELSEWHERE])
def test_a_url_that_no_token_covers_reads_no_secret(crowd: Path, folder: str) -> None:
    found = counts(
        SCRIPT, str(crowd), f"{folder}/a.conda", f"{folder}/b.conda", f"{folder}/c.conda"
    )

    assert found["value"] is None
    assert found["opened"] == [["index.jsonl"], []]
    assert max(found["calls"]) <= UNCOVERED_CALLS


def test_where_no_store_is_it_is_looked_for_once(home: Path) -> None:
    found = counts(SCRIPT, str(home / "tokens"), *PACKAGES)

    assert found["opened"] == [["index.jsonl"], []]
    assert found["asked"][1] == []


def test_the_first_request_imports_what_it_needs_and_no_more(store: Path) -> None:
    modules = counts(SCRIPT, str(store), PACKAGES[0])["modules"]

    assert not NOT_NEEDED.intersection(name.partition(".")[0] for name in modules)
    ours = [name for name in modules if name.startswith("conda_token_plugin")]
    assert len(ours) <= OUR_MODULES, ours

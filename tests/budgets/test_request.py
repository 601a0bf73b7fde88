"""Budgets of requests: files, ``stat`` calls, modules and function calls."""

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
        return found and header(found.token, secret=found.secret())
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
OUR_MODULES = 23
"""Modules of this package, of which four are the ``__init__`` of a package."""
MANY = 1_000
OPEN_CALLS, OPEN_CALLS_PER_TOKEN, BYTES_PER_TOKEN = 300, 15, 300
"""Function calls to open a store, and bytes of its index. 1,000 tokens must open within 10 ms: this
many calls took 2.6 ms (Python 3.11)."""
OPENING = """
import sys
from pathlib import Path
from tests.budgets.watching import calls, report
from conda_token_plugin.store import Store
store = Store(Path(sys.argv[1]))
held = Store(Path(sys.argv[1])).tokens()
find = lambda: store.covering(held[0].scope[0])
report(
    opening=calls(lambda: store.covering("https://x.example/y")),
    again=[calls(find), *(calls(lambda: store.token(key)) for key in (held[0].key, "x"))],
    tokens=len(held),
)
"""
NOT_NEEDED = {"keyring", "requests", "rich", "ruamel", "filelock", "platformdirs", "oauthlib"}


@pytest.fixture(params=[1, MANY])
def store_path(request: pytest.FixtureRequest, home: Path) -> Path:
    """Return a store of one token, and one of a thousand."""
    return keep(home / "tokens", count=request.param)


def test_requests_in_a_folder_read_the_index_and_the_secret_once(store_path: Path) -> None:
    found = counts(SCRIPT, str(store_path), *PACKAGES)

    assert found["value"] == f"token {VALUE}"
    (index, secret), more = found["opened"]
    assert index == "index.json"
    assert secret.startswith("secrets/")
    assert more == []
    assert len(found["asked"][0]) <= ASKED
    assert found["asked"][1] == []
    assert max(found["calls"]) <= CALLS


def test_request_in_another_folder_opens_no_file(store_path: Path) -> None:
    found = counts(SCRIPT, str(store_path), PACKAGES[0], f"{LINUX}/repodata.json.zst", PACKAGES[1])
    assert found["opened"][1] == []
    assert len(found["asked"][1]) <= ASKED_OF_A_FOLDER


@pytest.mark.parametrize("folder", [BESIDE, ELSEWHERE])
def test_request_that_no_token_covers_reads_no_secret(store_path: Path, folder: str) -> None:
    found = counts(
        SCRIPT, str(store_path), f"{folder}/a.conda", f"{folder}/b.conda", f"{folder}/c.conda"
    )

    assert found["value"] is None
    assert found["opened"] == [["index.json"], []]
    assert max(found["calls"]) <= UNCOVERED_CALLS


def test_missing_store_is_looked_for_once(home: Path) -> None:
    found = counts(SCRIPT, str(home / "tokens"), *PACKAGES)

    assert found["opened"] == [["index.json"], []]
    assert found["asked"][1] == []


def test_first_request_imports_no_more_modules_than_the_budget(store: Path) -> None:
    modules = counts(SCRIPT, str(store), PACKAGES[0], f"{BESIDE}/a.conda")["modules"]

    assert not NOT_NEEDED.intersection(name.partition(".")[0] for name in modules)
    ours = [name for name in modules if name.startswith("conda_token_plugin")]
    assert len(ours) <= OUR_MODULES, ours
    assert not [name for name in ours if name.rpartition(".")[2] in ("api_key", "api_keys")]


def test_opening_a_store_takes_a_bounded_number_of_calls_and_bytes(store_path: Path) -> None:
    found = counts(OPENING, str(store_path))
    assert found["opening"] <= OPEN_CALLS + OPEN_CALLS_PER_TOKEN * found["tokens"]
    assert (store_path / "index.json").stat().st_size <= BYTES_PER_TOKEN * (found["tokens"] + 1)


def test_lookup_takes_the_same_number_of_calls_with_1000_tokens_as_with_one(home: Path) -> None:
    urls = (PACKAGES[0], f"{LINUX}/repodata.json.zst", f"{BESIDE}/a.conda", PACKAGES[1])
    one, many = (
        counts(SCRIPT, str(keep(home / "tokens", count=count)), *urls)["calls"]
        for count in (1, MANY)
    )
    assert one == many
    one, many = (
        counts(OPENING, str(keep(home / "tokens", count=count)))["again"] for count in (1, MANY)
    )
    assert one == many

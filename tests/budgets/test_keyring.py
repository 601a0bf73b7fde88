"""Budgets of the system keyring: one call for each token that is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli import main
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from tests.budgets.keeping import REPOSITORY, VALUE, token_of
from tests.budgets.watching import counts

if TYPE_CHECKING:
    from pathlib import Path

ORGANIZATIONS = ("acme", "globex", "hooli")
USED = ("acme", "globex")
SCRIPT = """
import sys
from threading import Thread
from tests.budgets.watching import report
from tests.support import keyrings

calls, get = [], keyrings.InFolder.get_password
keyrings.InFolder.get_password = lambda *of: calls.append(of[2]) or get(*of)

from conda_token_plugin.settings import Settings
from conda_token_plugin.store.lookup import Lookup

lookup, values = Lookup(Settings()), []

def download(organization):
    for number in range(200):
        url = f"{sys.argv[1]}/{organization}/main/subdir-{number % 3}/package-{number}.conda"
        values.append(lookup.find(url).secret().reveal())

threads = [Thread(target=download, args=(name,)) for name in sys.argv[2:] for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
report(calls=calls, values=len(values))
"""


@pytest.fixture
def kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home with three tokens in a working keyring."""
    monkeypatch.setenv("CONDA_TOKEN_STORE", "keyring")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "tests.support.keyrings.InFolder")
    store = user_store(Settings())
    for organization in ORGANIZATIONS:
        assert store.add(token_of(organization), Secret(VALUE)) == "keyring"
    return home


@pytest.mark.usefixtures("kept")
def test_each_used_token_takes_one_keyring_call() -> None:
    found = counts(SCRIPT, REPOSITORY, *USED)

    assert found["values"] == len(USED) * 4 * 200
    assert len(found["calls"]) == len(USED)
    assert all(any(f"{name}@" in call for call in found["calls"]) for name in USED)


def test_listing_tokens_takes_no_keyring_call(
    kept: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conda_token_plugin.gateways.keyring.load_backend", _never)

    assert main(["list", "--json"]) == 0

    assert capsys.readouterr().out.count('"source": "keyring"') == len(ORGANIZATIONS)
    assert (kept / "keyring").is_dir()


def _never(backend: str) -> None:
    raise AssertionError(f"{backend} was asked")

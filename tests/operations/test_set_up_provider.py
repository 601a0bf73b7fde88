"""Adding and removing a provider changes the store and the drop-in, or neither."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.operations.set_up_provider import add_provider, remove_provider
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.provider import Provider

if TYPE_CHECKING:
    from pathlib import Path

VAULT = Provider("vault", "https://repo.example/acme", ("/usr/bin/vault",))


@pytest.fixture(autouse=True)
def own_store(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the store in the home of the test."""
    monkeypatch.setenv("CONDA_TOKEN_STORE", "file")
    monkeypatch.setenv("CONDA_TOKEN_HOME", str(empty_home / "store"))


def add(provider: Provider, condarc: Path) -> None:
    add_provider(provider, store=user_store(Settings()), settings=Settings(), condarc=condarc)


def remove(name: str, condarc: Path) -> Provider:
    return remove_provider(name, store=user_store(Settings()), settings=Settings(), condarc=condarc)


def test_provider_is_stored_and_in_the_drop_in_until_it_is_removed(tmp_path: Path) -> None:
    condarc = tmp_path / "conda.yml"
    add(VAULT, condarc)
    assert user_store(Settings()).providers() == (VAULT,)
    assert VAULT.scope in condarc.read_text()
    assert remove("vault", condarc) == VAULT
    assert user_store(Settings()).providers() == ()
    assert not condarc.exists()


def test_nothing_is_stored_if_the_drop_in_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError):
        add(VAULT, tmp_path / "file" / "conda.yml")
    assert user_store(Settings()).providers() == ()


def test_nothing_is_removed_if_the_drop_in_cannot_be_written(tmp_path: Path) -> None:
    add(VAULT, tmp_path / "conda.yml")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError):
        remove("vault", tmp_path / "file" / "conda.yml")
    assert user_store(Settings()).providers() == (VAULT,)


def test_unknown_provider_is_not_removed(tmp_path: Path) -> None:
    with pytest.raises(NoToken, match="There is no provider 'other'"):
        remove("other", tmp_path / "conda.yml")


def test_two_commands_at_once_add_one_provider_for_a_scope(tmp_path: Path) -> None:
    refused: list[BadInput] = []

    def run(number: int) -> None:
        try:
            add(VAULT._replace(name=f"number-{number}"), tmp_path / "conda.yml")
        except BadInput as error:
            refused.append(error)

    threads = [Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(user_store(Settings()).providers()) == 1
    assert len(refused) == len(threads) - 1

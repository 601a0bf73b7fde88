"""A keyring that hangs, raises or lies costs one line and a bounded wait."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.gateways import keyring
from conda_token_plugin.gateways.keyring import KeyringService
from conda_token_plugin.store import keyring_vault

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "a-secret-0123456789"


class Fake:
    """A backend whose every call does the same."""

    def __init__(self, act: Callable[[], str | None]) -> None:
        self.act = act

    def get_password(self, service: str, username: str) -> str | None:
        assert (service, username) == ("rattler", "host")
        return self.act()

    def set_password(self, service: str, username: str, password: str) -> None:
        assert (service, username, password) == ("rattler", "host", SECRET)
        self.act()

    def delete_password(self, service: str, username: str) -> None:
        assert (service, username) == ("rattler", "host")
        self.act()


CALLS: dict[str, Callable[[KeyringService], object]] = {
    "get": lambda service: service.held("host"),
    "set": lambda service: service.put("host", SECRET),
    "delete": lambda service: service.drop("host", made=""),
}


def use(monkeypatch: pytest.MonkeyPatch, act: Callable[[], str | None]) -> KeyringService:
    monkeypatch.setattr(keyring_vault, "loaded", lambda _: Fake(act))
    monkeypatch.setattr(keyring, "PATIENCE", 0.05)
    return KeyringService(service="rattler")


@pytest.mark.parametrize("call", CALLS)
def test_one_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    ended = Event()

    def hang() -> None:
        ended.wait()

    service = use(monkeypatch, hang)
    with pytest.raises(KeyringUnusable, match="did not answer"):
        CALLS[call](service)
    ended.set()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", [RuntimeError, OSError, SystemExit])
def test_one_that_raises_is_named_by_its_error_and_not_by_its_words(
    monkeypatch: pytest.MonkeyPatch, call: str, error: type[BaseException]
) -> None:
    def fail() -> None:
        raise error(f"could not write {SECRET}")

    with pytest.raises(KeyringUnusable, match=f"refused: {error.__name__}") as caught:
        CALLS[call](use(monkeypatch, fail))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_one_that_keeps_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyringUnusable, match="did not keep"):
        CALLS["set"](use(monkeypatch, lambda: None))


def test_one_that_keeps_it_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    service = use(monkeypatch, lambda: SECRET)
    CALLS["set"](service)
    assert service.held("host") == SECRET
    assert service.name == "keyring:rattler"

"""Keyrings that hang, raise errors or store nothing."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.gateways import keyring
from conda_token_plugin.gateways.keyring import KeyringService

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "a-secret-0123456789"


class Fake:
    """A backend whose calls all run the same function."""

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
    "delete": lambda service: service.drop("host"),
}


def use(monkeypatch: pytest.MonkeyPatch, act: Callable[[], str | None]) -> KeyringService:
    monkeypatch.setattr(keyring, "load_backend", lambda _: Fake(act))
    monkeypatch.setattr(keyring, "LIMIT", 0.05)
    return KeyringService(service="rattler")


@pytest.mark.parametrize("call", CALLS)
def test_call_is_abandoned_at_the_limit_when_the_keyring_hangs(
    monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    ended = Event()

    def hang() -> None:
        ended.wait()

    service = use(monkeypatch, hang)
    with pytest.raises(KeyringUnusable, match="did not answer"):
        CALLS[call](service)
    ended.set()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", [RuntimeError, OSError, SystemExit])
def test_call_reports_the_type_of_a_backend_error_and_not_its_message(
    monkeypatch: pytest.MonkeyPatch, call: str, error: type[BaseException]
) -> None:
    def fail() -> None:
        raise error(f"could not write {SECRET}")

    with pytest.raises(KeyringUnusable, match=f"refused: {error.__name__}") as caught:
        CALLS[call](use(monkeypatch, fail))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_put_fails_when_the_backend_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyringUnusable, match="did not store"):
        CALLS["set"](use(monkeypatch, lambda: None))


def test_put_succeeds_when_the_backend_returns_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    service = use(monkeypatch, lambda: SECRET)
    CALLS["set"](service)
    assert service.held("host") == SECRET

"""A keyring service as a place of exported tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.gateways.keyring import load_backend
from conda_token_plugin.integrations.rattler import KeyringPlace
from tests.support.keyrings import NAME

if TYPE_CHECKING:
    from conda_token_plugin.integrations.target import Place


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{NAME}InFolder")
    return KeyringPlace(service="rattler")


def test_place_is_named_after_the_service(place: Place) -> None:
    assert place.name == "keyring:rattler"


def test_entry_is_returned_until_it_is_dropped(place: Place) -> None:
    place.prepare("host")
    assert place.missing("host") == ""
    place.put("host", "a value")
    place.sweep("host")
    assert place.held("host") == "a value"
    assert load_backend(f"{NAME}InFolder").get_password("rattler", "host") == "a value"
    place.drop("host", created="")
    assert place.held("host") is None

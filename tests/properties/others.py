"""Readers of other tools' files. The data is written to the file of the tool below the home."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.gateways import keyring
from conda_token_plugin.integrations.registry import SOURCES, TARGETS, source
from conda_token_plugin.service.credentials import find_api_key
from conda_token_plugin.store import user_store
from tests.properties.reading import checked, settings_of, written
from tests.properties.samples import VALUE

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.integrations.source import FoundCredential, PlainTextCopy, Source
    from conda_token_plugin.settings import Settings
    from tests.properties.reading import Read

FILES = {
    "anaconda-auth": ".anaconda/keyring",
    "anaconda-client": ".config/binstar/https%3A%2F%2Fh.example%2F.token",
    "conda-auth": ".condarc",
    "condarc": ".condarc",
    "netrc": ".netrc",
    "mamba": ".mamba/auth/authentication.json",
    "rattler": ".rattler/credentials.json",
}
"""The file that each source reads first."""
PLACES = {"rattler": FILES["rattler"], "mamba": FILES["mamba"], "netrc": ".netrc", "dotenv": ".env"}


def offers_of(name: str) -> Read:
    """Return a reader of a source that also removes the credentials that it finds from ``data``."""

    def read(data: bytes, home: Path) -> None:
        with written(home / FILES[name], data) as path:
            checked(lambda: _cleaned(SOURCES[name].offers(settings_of(home)), data), hides=VALUE)
            assert path.read_bytes() == data

    return read


def any_file(data: bytes, home: Path) -> None:
    """Read a file that the user names."""
    with written(home / "notes.txt", data) as path:
        checked(lambda: _cleaned(source(str(path)).offers(settings_of(home)), data), hides=VALUE)


def _cleaned(offers: Any, data: bytes) -> None:
    for offer in offers:
        assert offer.token.scope
        for plain in offer.plain:
            _removed(plain, data)


def _removed(plain: PlainTextCopy, data: bytes) -> None:
    with suppress(ValueError):  # the documented error
        after = plain.without(data)
        assert after is None or after != data


def place_of(name: str) -> Read:
    """Return a reader of a target's file that also adds an entry and removes it."""

    def read(data: bytes, home: Path) -> None:
        target, key = TARGETS[name], "h.example"
        value = json.dumps({"CondaToken": VALUE})
        if name == "mamba":
            value = json.dumps({"type": "CondaToken", "token": VALUE})
        elif name == "netrc":
            value = json.dumps(["ann", VALUE])
        elif name == "dotenv":
            key, value = "ANACONDA_REPO_TOKEN_ACME", VALUE
        with written(home / PLACES[name], data) as path:
            place = target.place_at(path)
            before = checked(lambda: place.held(key), hides=VALUE)
            assert path.read_bytes() == data
            if isinstance(before, str):
                target.secret_in(before)
            if before is None:
                checked(lambda: place.put(key, value))
                held = checked(lambda: place.held(key))
                assert isinstance(held, str | ConfigurationError)
                if held == value:
                    checked(lambda: place.drop(key, created=""))

    return read


def pixi(data: bytes, home: Path) -> object:
    """Read pixi's configuration."""
    with written(home / ".pixi" / "config.toml", data):
        return checked(lambda: TARGETS["pixi"].place(settings_of(home), keyring=False))


def keyring_entry(data: bytes, home: Path) -> None:
    """Read a value that a keyring returns."""
    setting = b"channel_settings: [{channel: 'https://h.example/x', auth: token}]"
    store = user_store(settings_of(home, CONDA_TOKEN_HOME=str(home / "store")))
    (home / ".rattler").mkdir(exist_ok=True)
    with (
        pytest.MonkeyPatch.context() as patch,
        written(home / ".condarc", setting),
        written(home / ".anaconda" / "x", b""),
    ):
        patch.setattr(keyring, "_call", lambda _work: data.decode("latin-1"))
        for name in ("conda-auth", "rattler", "anaconda-auth"):
            checked(partial(_all_of, SOURCES[name], settings_of(home)))
        checked(lambda: find_api_key(settings_of(home, CONDA_TOKEN_STORE="auto"), store))


def _all_of(source: Source, settings: Settings) -> list[FoundCredential]:
    return list(source.offers(settings))

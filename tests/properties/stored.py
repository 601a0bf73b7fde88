"""Readers of the store's index, of the output of providers, of secret files and of sites."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.operations.supply_credential import response_for
from conda_token_plugin.settings.secret_files import MAX_SIZE, decoded, secret_of, text_in
from conda_token_plugin.store import providers, stores_of
from conda_token_plugin.store.envelope import framed
from conda_token_plugin.store.index import KIND, VERSION
from conda_token_plugin.store.lookup import Lookup
from conda_token_plugin.store.sources import all_credentials
from conda_token_plugin.tokens.credential_helper import Response
from conda_token_plugin.tokens.provider import PRINTS_TOKEN, Provider
from conda_token_plugin.tokens.secret import HiddenText, Secret
from conda_token_plugin.tokens.token import AuthScheme
from tests.properties.reading import checked, settings_of, written
from tests.properties.samples import URL, VALUE

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
ASKED = f"{URL}/repo/acme/main/noarch/repodata.json"
PROVIDER = Provider("vault", f"{URL}/repo/acme", ("/bin/true",))


def index(data: bytes, home: Path) -> None:
    """Read an index: the data itself, and an index with a valid checksum whose content it is."""
    known = settings_of(
        home,
        CONDA_TOKEN_HOME=str(home / "store"),
        CONDA_TOKEN_SYSTEM_HOME=str(home / "system"),
    )
    for content in (data, *(framed(KIND, data, version=number) for number in (1, VERSION))):
        with written(home / "store" / "index.json", content):
            stores = stores_of(known)
            for ask in (stores["user"].credentials, stores["user"].logins):
                checked(ask)
            checked(partial(all_credentials, known, stores=stores))
            lookup = Lookup(known, stores=stores)
            found = checked(partial(response_for, ASKED, lookup=lookup, now=NOW))
            assert isinstance(found, Response | TokenPluginError)


def provider(data: bytes, home: Path) -> None:
    """Read what the command of a provider prints, as a response and as a bare secret."""
    text = HiddenText(data.decode("utf-8", "replace"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(providers, "output_of", lambda *_, **__: text)
        for prints in (PROVIDER.prints, PRINTS_TOKEN):
            for scheme in AuthScheme:
                asked = PROVIDER._replace(prints=prints, scheme=scheme.value)
                found = checked(partial(providers.ask, asked, settings=settings_of(home), now=NOW))
                if isinstance(found, TokenPluginError):
                    assert VALUE not in str(found)
                    continue
                assert isinstance(found, providers.ProviderResult)


def secret_file(data: bytes, home: Path) -> None:
    """Read a file with a secret."""
    found = checked(lambda: secret_of(decoded(data).strip(), where="here"))
    assert isinstance(found, Secret | TokenPluginError)
    with written(home / "secret", data) as path:
        assert text_in(path) == decoded(data[: MAX_SIZE + 1])


def sites(data: bytes, home: Path) -> None:
    """Read the configuration file of anaconda-auth."""
    with written(home / ".anaconda" / "config.toml", data):
        known = settings_of(home)
        for ask in (known.sites, lambda: known.site, lambda: known.client_id):
            checked(ask)

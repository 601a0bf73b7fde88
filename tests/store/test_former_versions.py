"""A store that an earlier version of the plugin has written is read and changed."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from conda_token_plugin.store import Store
from conda_token_plugin.tokens.provider import Provider
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind, TokenVerdict
from tests.support import tokens

WRITTEN = Path(__file__).with_name("version-1")
"""Written by that version, not by a test."""
NOON = datetime(2030, 1, 1, 12, tzinfo=timezone.utc)
REPOSITORY = "https://repo.example/repo"
KEY = Token("ada", TokenKind.API_KEY, (REPOSITORY,), AuthScheme.BEARER, expires=NOON)
FILES = "https://files.example"
TOKENS = (
    Token(
        organization="acme",
        kind=TokenKind.INDIVIDUAL,
        scope=(f"{REPOSITORY}/acme", f"{REPOSITORY}/main"),
        id="id-1",
        last_four="wxyz",
        issued=NOON,
        expires=NOON + timedelta(days=60),
        subscription_ends=NOON + timedelta(days=30),
        checked=NOON,
        verified=NOON,
        verdict=TokenVerdict.REVOKED,
        channels=(f"{REPOSITORY}/acme/a",),
        default_channels=(f"{REPOSITORY}/main",),
    ),
    Token("beta", TokenKind.SITE, (f"{FILES}/sub",), AuthScheme.PATH, path_before="/sub"),
    Token("gamma", TokenKind.SITE, (f"{FILES}/gamma",), AuthScheme.BASIC, username="joe"),
    Token("delta", TokenKind.UNKNOWN, (f"{FILES}/delta",), AuthScheme.BEARER),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with the files of version 1."""
    folder = shutil.copytree(WRITTEN, tmp_path / "store")
    for path in (folder, *folder.rglob("*")):
        os.chmod(path, 0o700 if path.is_dir() else 0o600)  # noqa: PTH101  # as the plugin does
    return Store(folder, choice="file")


def test_store_of_version_1_has_its_tokens_logins_and_providers(store: Store) -> None:
    assert set(store.tokens()) == set(TOKENS)
    assert [store.secret(one.key).reveal()[0] for one in TOKENS] == ["a", "b", "c", "d"]
    login = store.login("https://service.example")
    assert login is not None
    assert login.reveal() == "e" * 48
    assert store.channel_logins() == {"https://service.example": KEY}
    assert [one.channels for one in store.configured()] == [(f"{REPOSITORY}/env/x",)]
    assert store.providers() == (Provider("vault", f"{REPOSITORY}/prov", ("/bin/vault", "read")),)


def test_store_of_version_1_is_the_same_after_a_change(store: Store) -> None:
    store.add(tokens.token("new"), tokens.secret(1))
    again = Store(store.folder, choice="file")
    assert set(again.tokens()) == {*TOKENS, tokens.token("new")}
    assert again.channel_logins() == {"https://service.example": KEY}
    assert again.login("https://service.example") == store.login("https://service.example")
    assert again.providers() == store.providers()

"""`logout`: what it removes, and what it keeps."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import API_KEY, Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.api_key import channel_credential
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


@pytest.fixture
def logged_in(shell: Shell) -> Shell:
    """A shell with a login of ours and no other."""
    key = Secret(shell.sandbox.world.api_key("grace"))
    shell.unset(API_KEY)
    user_store(Settings()).set_login(shell.sandbox.service, key)
    assert shell("whoami").code == 0
    return shell


def test_logout_removes_the_login_and_keeps_tokens(logged_in: Shell) -> None:
    logged_in.install("acme")
    ran = logged_in("logout", "--json").well()
    assert ran.json == {
        "service": logged_in.sandbox.service,
        "logged_out": True,
        "still_there": None,
    }
    assert logged_in("whoami").code == 3
    assert logged_in.held()[0]["organization"] == "acme"


def test_logout_leaves_no_piece_of_the_key(logged_in: Shell) -> None:
    logged_in("logout")
    key = logged_in.sandbox.world.api_key("grace")
    assert not any(key[-20:].encode() in content for content in logged_in.files().values())


def test_logout_without_a_login_is_not_an_error(shell: Shell) -> None:
    shell.unset(API_KEY)
    ran = shell("logout").well()
    assert "Not logged in" in ran.err


@pytest.fixture
def opened(logged_in: Shell) -> Shell:
    """A shell with a login whose API key opens channels."""
    key = Secret(logged_in.sandbox.world.api_key("grace"))
    opens = channel_credential(key, prefix=logged_in.sandbox.repo.rstrip("/"))
    user_store(Settings()).set_login(logged_in.sandbox.service, key, opens=opens)
    return logged_in


def test_logout_undoes_the_default_channels_that_needed_the_login(opened: Shell) -> None:
    opened("config", "--force").well()
    assert "default_channels" in opened.dropin

    opened("logout").well()

    assert not Settings().condarc.exists()


def test_logout_removes_the_exported_copies_of_the_key(opened: Shell) -> None:
    opened("export", "rattler", "mamba", "--api-key", "--yes").well()
    key = opened.sandbox.world.api_key("grace").encode()
    assert any(key in content for content in opened.files().values())

    ran = opened("logout").well()

    assert "Export to rattler" in ran.err
    assert not any(key in content for content in opened.files().values())


def test_logout_leaves_the_exported_copies_of_another_key(opened: Shell) -> None:
    other = opened.sandbox.world.api_key("ada")
    opened.set(API_KEY, other)
    opened("export", "rattler", "--api-key", "--yes").well()

    opened("logout").well()

    assert any(other.encode() in content for content in opened.files().values())


def test_logout_names_a_key_in_the_environment(logged_in: Shell) -> None:
    logged_in.log_in("ada")
    ran = logged_in("logout").well()
    assert API_KEY in ran.err


def test_logout_names_a_login_of_anaconda_auth_and_keeps_it(logged_in: Shell) -> None:
    key = logged_in.sandbox.world.api_key("ada")
    entry = b64encode(json.dumps({"api_key": key}).encode()).decode()
    domain = logged_in.sandbox.service.partition("://")[2]
    path = logged_in.home / ".anaconda" / "keyring"
    path.parent.mkdir()
    path.write_text(json.dumps({"Anaconda Cloud": {domain: entry}}))
    before = path.read_bytes()
    ran = logged_in("logout")
    assert "anaconda-auth's login" in ran.err
    assert path.read_bytes() == before


def test_logout_makes_no_request(logged_in: Shell) -> None:
    logged_in.sandbox.requests.clear()
    logged_in("logout")
    assert len(logged_in.sandbox.requests) == 0


def test_logout_does_not_change_a_corrupt_store(logged_in: Shell) -> None:
    index = user_store(Settings()).folder / "index.json"
    index.write_bytes(b"\x00broken")
    logged_in("logout").failed(6, str(index))
    assert index.read_bytes() == b"\x00broken"

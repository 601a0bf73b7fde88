"""The API key as a credential for channels, in each command that shows or copies credentials."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import API_KEY, Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.api_key import channel_credential
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

SHOW = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"


@pytest.fixture(autouse=True)
def api_key_is_for_the_service_only() -> None:
    """Let the API key open channels: these tests are about that."""


@pytest.fixture
def key(shell: Shell) -> str:
    """Return the key of a login that opens channels; no variable supplies another one."""
    value = shell.sandbox.world.api_key("ada")
    shell.unset(API_KEY)
    opens = channel_credential(Secret(value), prefix=shell.sandbox.repo.rstrip("/"))
    user_store(Settings()).set_login(shell.sandbox.service, Secret(value), opens=opens)
    return value


def test_login_for_channels_is_listed_and_never_shown(shell: Shell, key: str) -> None:
    ran = shell("list", "--json")
    assert [(one["kind"], one["source"]) for one in ran.json] == [
        ("api-key", f"login to {shell.sandbox.service}")
    ]
    assert key not in ran.out + ran.err


def test_status_verifies_the_api_key(shell: Shell, key: str) -> None:
    ran = shell("status", "--json").well()
    assert [one["works"] for one in ran.json] == [True]
    assert key not in ran.out + ran.err


def test_status_of_a_refused_api_key_names_login(shell: Shell, key: str) -> None:
    shell.sandbox.world.take_seat("acme", "ada")
    shell.sandbox.world.take_seat("globex", "ada")
    ran = shell("status")
    assert ran.code == 1
    assert "login" in ran.out
    assert key not in ran.out + ran.err


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("rattler", ".rattler/credentials.json"),
        ("pixi", ".rattler/credentials.json"),
        ("mamba", ".mamba/auth/authentication.json"),
    ],
)
def test_api_key_is_exported_as_a_bearer_token(
    shell: Shell, key: str, target: str, path: str
) -> None:
    ran = shell("export", target, "--api-key", "--yes").well()
    (entry,) = json.loads((shell.home / path).read_text()).values()
    assert key in entry.values()
    assert any("Bearer" in str(word) for word in (*entry, *entry.values()))
    assert key not in ran.out + ran.err


def test_export_without_the_option_contains_no_api_key(shell: Shell, key: str) -> None:
    ran = shell("export", "rattler", "--yes")
    assert ran.code == 1
    assert not (shell.home / ".rattler").exists()
    assert key not in ran.err


def test_run_sets_the_variable_of_the_api_key(shell: Shell, key: str) -> None:
    path = shell.home / "seen"
    shell("run", "--api-key", "--", sys.executable, "-c", SHOW, str(path)).well()
    assert json.loads(path.read_text())[API_KEY] == key


def test_logout_closes_the_channels(shell: Shell, key: str) -> None:
    assert key
    shell("logout")
    assert shell.held() == []


@pytest.mark.usefixtures("browser")
def test_login_says_what_its_key_opens_and_conda_asks_for_it(logged_out: Shell) -> None:
    prefix = logged_out.sandbox.repo.rstrip("/")

    ran = logged_out("login", "--web")

    assert f"conda sends it to {prefix}/ where no token is stored for the channel." in ran.err
    assert "login --no-channels" in ran.err
    assert [one["kind"] for one in logged_out.held()] == ["api-key"]
    assert f"{prefix}/*" in Settings().condarc.read_text("utf-8")


@pytest.mark.usefixtures("browser")
def test_login_without_channels_opens_none_and_writes_no_dropin(logged_out: Shell) -> None:
    ran = logged_out("login", "--web", "--no-channels", "--json")

    assert ran.json["channels"] is None
    assert logged_out.held() == []
    assert not Settings().condarc.exists()


@pytest.mark.usefixtures("key")
def test_drop_in_still_asks_for_the_api_key_after_defaults_were_added(shell: Shell) -> None:
    shell("install", "--org", "acme", "--reissue", "--set-default-channels").well()
    dropin = Settings().condarc.read_text()
    assert "  - defaults #!top" in dropin
    assert f'"{shell.sandbox.repo}*"' in dropin

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
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox
    from tests.cli.conftest import Shell

SHOW = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))"


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
    assert shell("list", "--json").json == []


@pytest.mark.usefixtures("browser")
def test_login_says_what_its_key_opens_and_conda_asks_for_it(logged_out: Shell) -> None:
    prefix = logged_out.sandbox.repo.rstrip("/")

    ran = logged_out("login", "--web")

    assert f"conda sends it to {prefix}/ where no token is stored for the channel." in ran.err
    assert "login --no-channels" in ran.err
    assert [one["kind"] for one in logged_out("list", "--json").json] == ["api-key"]
    assert f"{prefix}/*" in Settings().condarc.read_text("utf-8")


@pytest.mark.usefixtures("browser")
def test_login_without_channels_opens_none_and_writes_no_dropin(logged_out: Shell) -> None:
    ran = logged_out("login", "--web", "--no-channels", "--json")

    assert ran.json["channels"] is None
    assert logged_out("list", "--json").json == []
    assert not Settings().condarc.exists()


@pytest.mark.usefixtures("key")
def test_drop_in_still_asks_for_the_api_key_after_defaults_were_added(shell: Shell) -> None:
    shell("install", "--org", "acme", "--reissue", "--set-default-channels").well()
    dropin = Settings().condarc.read_text()
    assert "  - defaults #!top" in dropin
    assert f'"{shell.sandbox.repo}*"' in dropin


# -- a key in the folder of secrets --------------------------------------------------------------


@pytest.fixture(params=["ANACONDA_SECRETS_DIR", "/run/secrets"])
def mounted(
    logged_out: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Path:
    """Return the file with the API key of ada, which was mounted as a secret of a container."""
    path = tmp_path / "secrets" / "anaconda_auth_api_key"
    path.parent.mkdir()
    path.write_text(f"{logged_out.sandbox.world.api_key('ada')}\n")
    if request.param == "ANACONDA_SECRETS_DIR":
        logged_out.set(request.param, str(path.parent))
    else:
        monkeypatch.setattr("conda_token_plugin.settings.paths.RUN_SECRETS", path.parent)
    return path


def test_whoami_names_the_mounted_file(shell: Shell, mounted: Path) -> None:
    ran = shell("whoami", "--json")
    assert (ran.code, ran.json["username"], ran.json["source"]) == (0, "ada", str(mounted))
    assert f"API key from {mounted}" in shell("whoami").out


def test_status_and_list_show_the_mounted_key_with_its_file(shell: Shell, mounted: Path) -> None:
    (one,) = shell("status", "--json").json
    assert (one["kind"], one["source"], one["works"]) == ("api-key", str(mounted), True)
    assert [entry["source"] for entry in shell("list", "--json").json] == [str(mounted)]


def test_which_says_that_the_mounted_key_is_sent(shell: Shell, mounted: Path) -> None:
    ran = shell("which", f"{shell.sandbox.repo}acme/main", "--json")
    assert str(mounted) in ran.out


def test_install_issues_with_the_mounted_key(shell: Shell, mounted: Path) -> None:
    assert mounted.is_file()
    shell("install", "--org", "acme", "--yes").well()


@pytest.mark.usefixtures("browser")
def test_login_says_that_the_mounted_key_has_precedence_and_what_it_opens(
    shell: Shell, mounted: Path
) -> None:
    ran = shell("login", "--web").well()
    opened = f"{shell.sandbox.service} and the channels below {shell.sandbox.repo}"
    assert f"{mounted} supplies an API key already, for {opened}." in ran.err
    assert f"warning: The API key from {mounted} has precedence over this login." in ran.err
    assert mounted.read_text().strip() not in ran.out + ran.err


def test_login_that_needs_an_answer_names_the_mounted_key(shell: Shell, mounted: Path) -> None:
    ran = shell("login")
    assert ran.code == 2
    assert ran.err.startswith(f"{mounted} supplies an API key already")


def test_logout_says_that_the_mounted_key_is_used_from_now_on(shell: Shell, mounted: Path) -> None:
    ran = shell("logout")
    assert f"The API key from {mounted} is used from now on." in ran.err


def test_refused_mounted_key_is_named_with_what_to_do(shell: Shell, mounted: Path) -> None:
    mounted.write_text("a-key-that-was-never-issued")
    shell("whoami").failed(
        3, f"does not accept the API key from {mounted}", "Replace this file, or remove it and run:"
    )


def test_mounted_key_of_another_site_is_named_if_there_is_no_login(
    shell: Shell, mounted: Path, other_site: Sandbox
) -> None:
    config = shell.home / ".anaconda" / "config.toml"
    config.parent.mkdir()
    config.write_text(f'[sites.corp]\ndomain = "{other_site.service}"\n')
    shell("whoami", "--at", "corp").failed(
        3,
        f"You are not logged in to {other_site.service}",
        f"({mounted} belongs to {shell.sandbox.service}.)",
    )


def test_unreadable_mounted_key_is_an_error_and_no_login_is_made(
    shell: Shell, mounted: Path
) -> None:
    mounted.unlink()
    mounted.mkdir()  # Docker mounts a folder in place of a missing file
    shell("login", "--web").failed(6, str(mounted))
    assert not any("oauth" in one.path for one in shell.sandbox.requests)


def test_refused_key_of_a_variable_is_to_be_replaced_there(shell: Shell) -> None:
    shell.set(API_KEY, "not-a-known-key-0123456789")
    ran = shell("status")
    assert ran.code == 1
    assert f"refused. Put a new one into {API_KEY}." in ran.out
    assert "does not accept the API key …6789 (HTTP" in ran.out
    assert "login" not in ran.out

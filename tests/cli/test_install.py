"""`install`: from an API key to a token that is stored, configured and verified."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.sandbox.http.messages import Ending

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


def value_of(shell: Shell, organization: str) -> str:
    """The value that the sandbox issued last for an organization."""
    return shell.issued(organization).value


def test_install_issues_stores_configures_and_verifies_a_token(shell: Shell) -> None:
    ran = shell("install", "--org", "acme", "--yes", "--json").well()
    assert ran.json["organization"] == "acme"
    assert ran.json["kind"] == "individual"
    assert ran.json["verified"]
    assert ran.json["state"] == "valid"
    assert "/repo/acme/*" in shell.dropin
    assert shell.held()[0]["source"] == "file"


def test_install_of_a_named_organization_makes_at_most_four_requests(acme: Shell) -> None:
    assert len(acme.sandbox.requests) <= 4


def test_only_organization_is_used_without_a_question(shell: Shell) -> None:
    shell.log_in("grace")
    assert shell("install", "--json").json["organization"] == "acme"


def test_several_organizations_without_a_terminal_name_the_option(shell: Shell) -> None:
    shell("install").failed(2, "--org", "acme", "globex")
    assert shell.files() == {}


def test_existing_token_without_confirmation_is_kept_and_the_consequence_shown(acme: Shell) -> None:
    before, held = acme.files(), value_of(acme, "acme")
    ran = acme("install", "--org", "acme")
    current = acme.issued("acme")
    assert ran.code == 2
    assert "--yes" in ran.line
    assert str(current.id) in ran.err
    assert f"{current.expires:%Y-%m-%d}" in ran.err
    assert "every machine" in ran.err
    assert (acme.files(), value_of(acme, "acme")) == (before, held)


def test_yes_replaces_the_token_that_is_stored_here(acme: Shell) -> None:
    old = value_of(acme, "acme")
    acme.install("acme")
    assert value_of(acme, "acme") != old
    assert len(acme.held()) == 1
    stored = b"".join(acme.files().values()).decode()
    assert old not in stored


def test_second_organization_leaves_the_shared_channels_to_the_first(shell: Shell) -> None:
    for organization in ("acme", "globex"):
        shell.install(organization)
    acme, globex = shell.held()
    assert [url.rpartition("/")[2] for url in acme["scope"]] == ["acme", "main", "r", "msys2"]
    assert [url.rpartition("/")[2] for url in globex["scope"]] == ["globex"]


def test_option_shared_moves_the_shared_channels(shell: Shell) -> None:
    shell.install("acme")
    shell.install("globex", "--shared")
    acme, globex = shell.held()
    assert len(acme["scope"]) == 1
    assert len(globex["scope"]) == 4
    which = shell("which", f"{shell.sandbox.repo}main/noarch/repodata.json", "--json")
    assert which.json["organization"] == "globex"


def test_channel_options_configure_conda(shell: Shell) -> None:
    url = f"{shell.sandbox.repo}acme/main"
    shell("install", "--org", "acme", "-y", "--add-channel", url, "--set-default-channels").well()
    text = shell.dropin
    assert f'channels:\n  - "{url}"' in text
    assert "default_channels: #!final" in text
    assert f'"{shell.sandbox.repo}main"' in text


def test_reissue_keeps_the_configuration_unless_an_option_changes_it(shell: Shell) -> None:
    url = f"{shell.sandbox.repo}acme/main"
    shell("install", "--org", "acme", "-y", "--add-channel", url, "--set-default-channels")
    before = shell.dropin
    shell("install", "--org", "acme", "-y")
    assert shell.dropin == before
    shell("install", "--org", "acme", "-y", "--no-set-default-channels")
    assert "default_channels" not in shell.dropin


@pytest.mark.parametrize(
    ("user", "organization", "code", "words"),
    [
        ("ada", "acmee", 4, ["acmee", "Did you mean", "--org acme"]),
        ("nobody", "acme", 4, ["acme"]),
        ("bob", "acme", 4, ["no seat", "--site"]),
        ("carol", "initech", 4, ["has ended", "renew"]),
        ("dave", "hooli", 4, ["has ended"]),
        ("erin", "umbrella", 4, ["cancelled"]),
    ],
)
def test_refusal_of_the_organization_is_one_line_and_changes_nothing(
    shell: Shell, user: str, organization: str, code: int, words: list[str]
) -> None:
    shell.log_in(user)
    shell("install", "--org", organization, "--reissue").failed(code, *words)
    assert shell.files() == {}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("not-a-key", ["does not accept", "ANACONDA_AUTH_API_KEY", "unset it"]),
        ("two words", ["not a token", "ANACONDA_AUTH_API_KEY"]),
    ],
)
def test_bad_api_key_is_one_line(shell: Shell, key: str, words: list[str]) -> None:
    shell.set("ANACONDA_AUTH_API_KEY", key)
    ran = shell("install", "--org", "acme", "--yes")
    assert ran.code in {2, 3}
    for word in words:
        assert word in ran.line
    assert key not in ran.err
    assert shell.files() == {}


def test_missing_login_names_the_command_to_log_in(shell: Shell) -> None:
    shell.unset("ANACONDA_AUTH_API_KEY")
    shell("install", "--org", "acme", "--yes").failed(3, "login", "ANACONDA_AUTH_API_KEY")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 500}, ["500", "later"]),
        ({"status": 502, "body": b"<html>Bad gateway</html>"}, ["502"]),
        ({"status": 429, "headers": (("Retry-After", "7"),)}, ["too many", "7 seconds"]),
        ({"status": 200, "body": b"<html>Log in</html>"}, ["proxy"]),
        ({"status": 200, "body": b'{"id": "x", "expi'}, ["proxy"]),
        ({"ending": Ending.RESET}, ["could not be reached"]),
    ],
)
def test_bad_answer_of_the_service_is_one_line_and_changes_nothing(
    shell: Shell, fault: dict[str, object], words: list[str]
) -> None:
    often = 8  # more than anything is retried
    shell.sandbox.fail_next("current-token", times=often, **fault)
    shell("install", "--org", "acme", "--yes").failed(5, *words)
    assert shell.files() == {}


def test_unreachable_service_is_one_line(shell: Shell) -> None:
    shell.set("CONDA_TOKEN_SERVICE_URL", "http://127.0.0.1:9")
    shell("install", "--org", "acme", "--yes").failed(5, "127.0.0.1:9")
    assert shell.files() == {}


def test_unwritable_home_is_reported_before_anything_is_issued(shell: Shell) -> None:
    (shell.home / ".conda").write_text("a file where a folder has to be")
    shell("install", "--org", "acme", "--yes").failed(7, ".conda")
    assert shell.sandbox.world.current("acme", "ada") is None


def test_unwritable_store_is_reported_before_anything_is_issued(shell: Shell) -> None:
    (shell.home / "not-a-folder").write_text("")
    shell.set("CONDA_TOKEN_HOME", str(shell.home / "not-a-folder"))
    shell("install", "--org", "acme", "--yes").failed(6, "not-a-folder")
    assert shell.sandbox.world.current("acme", "ada") is None


def test_issued_token_that_the_repository_refuses_is_stored_and_reported(shell: Shell) -> None:
    shell.sandbox.fail_next("^/repo/", times=8, status=403)
    shell("install", "--org", "acme", "--yes").failed(5, "is stored nevertheless")
    (held,) = shell.held()
    assert held["verified"] is None


def test_error_with_json_is_a_document_on_stdout(shell: Shell) -> None:
    ran = shell("install", "--org", "acmee", "--yes", "--json")
    error = json.loads(ran.out)["error"]
    assert error["kind"] == "NoSuchOrganization"
    assert error["exit_code"] == ran.code == 4
    assert "conda-token-plugin install --org acme" in error["hint"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_full_disk_is_reported_before_anything_is_issued(shell: Shell) -> None:
    from resource import RLIMIT_FSIZE, setrlimit

    done = subprocess.run(
        [sys.executable, "-m", "conda_token_plugin", "install", "--org", "acme", "--yes"],
        preexec_fn=lambda: setrlimit(RLIMIT_FSIZE, (0, 0)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {6, 7}
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 2  # the error and the hint
    assert "File too large" in done.stderr
    assert shell.sandbox.world.current("acme", "ada") is None


@pytest.mark.parametrize("name", ["ANACONDA_REPO_TOKEN", "ANACONDA_REPO_TOKEN_ACME"])
def test_token_from_the_environment_is_named_and_not_replaced(shell: Shell, name: str) -> None:
    shell.set(name, "t" * 20)
    for words in ([], ["--reissue"], ["--if-expiring", "14d"]):
        ran = shell("install", "--org", "acme", "--yes", "--json", *words)
        assert (ran.code, ran.json["error"]["kind"]) == (2, "Supplied")
        assert f"The token of 'acme' is supplied by {name}" in ran.json["error"]["what"]
    assert not shell.sandbox.requests
    assert shell.files() == {}


def test_if_missing_keeps_a_token_from_the_environment(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN_ACME", "t" * 20)
    ran = shell("install", "--org", "acme", "--if-missing", "--yes", "--json").well()
    assert (ran.json["action"], ran.json["source"]) == ("kept", "ANACONDA_REPO_TOKEN_ACME")
    assert shell.files() == {}


def test_organization_as_argument_is_the_organization(shell: Shell) -> None:
    ran = shell("install", "acme", "--yes", "--json")
    assert (ran.code, ran.json["organization"]) == (0, "acme")


def test_install_reports_where_it_verified_and_a_command_to_try(shell: Shell) -> None:
    ran = shell("install", "--org", "acme", "--yes")
    channel = shell.sandbox.url_of("acme", "main")
    assert f"Verified: downloaded package from {channel}/noarch/" in ran.err
    assert f"Try: conda install -c {channel} PACKAGE" in ran.err


def test_token_accepted_on_a_shared_channel_only_is_reported_as_not_verified(shell: Shell) -> None:
    shell.sandbox.fail_next("/repo/acme/", times=9, status=404)
    ran = shell("install", "--org", "acme", "--yes", "--json").well()
    assert ran.json["verified"] is None
    assert "Accepted by the repository" in ran.err
    assert "not verified for the channels of acme. Run: conda-token-plugin test URL" in ran.err


def test_unknown_organization_is_reported_before_any_question(shell: Shell) -> None:
    assert shell.home
    terminal = shell.at_terminal("install", "nosuch")
    assert terminal.finish() == 4
    assert "not a member of an organization 'nosuch'" in terminal.seen
    assert "default channels?" not in terminal.seen

"""`install`: from an API key to a token that is kept, configured and proven."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.sandbox.http.messages import Ending

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

DROP_IN = ".conda/condarc.d/conda-token-plugin.yml"


def value_of(shell: Shell, organization: str) -> str:
    """The value that the sandbox issued last for an organization."""
    return shell.issued(organization).value


def test_a_token_is_issued_kept_configured_and_proven(shell: Shell) -> None:
    ran = shell("install", "--org", "acme", "--yes", "--json")
    assert ran.code == 0
    assert ran.json["organization"] == "acme"
    assert ran.json["kind"] == "individual"
    assert ran.json["proven"]
    assert ran.json["state"] == "valid"
    assert "/repo/*" in (shell.home / DROP_IN).read_text()
    assert shell("list", "--json").json[0]["source"] == "file"


def test_an_installation_with_an_organization_makes_at_most_four_requests(shell: Shell) -> None:
    assert shell("install", "--org", "acme", "--yes").code == 0
    assert len(shell.sandbox.requests) <= 4


def test_the_token_is_never_printed(shell: Shell) -> None:
    for words in (["install", "--org", "acme", "--yes"], ["list"], ["list", "--json"]):
        ran = shell(*words)
        token = value_of(shell, "acme")
        for start in range(len(token) - 7):
            assert token[start : start + 8] not in ran.out + ran.err


def test_the_only_organization_is_taken_unasked(shell: Shell) -> None:
    shell.log_in("grace")
    assert shell("install", "--json").json["organization"] == "acme"


def test_with_several_and_no_terminal_the_flag_is_named(shell: Shell) -> None:
    ran = shell("install")
    assert ran.code == 2
    assert "--org" in ran.line
    assert "acme" in ran.line
    assert "globex" in ran.line
    assert shell.files() == {}


def test_an_existing_token_is_not_replaced_without_a_yes_that_names_what_breaks(
    shell: Shell,
) -> None:
    shell("install", "--org", "acme", "--yes")
    before, held = shell.files(), value_of(shell, "acme")
    ran = shell("install", "--org", "acme")
    current = shell.issued("acme")
    assert ran.code == 2
    assert "--yes" in ran.line
    assert str(current.id) in ran.err
    assert f"{current.expires:%Y-%m-%d}" in ran.err
    assert "every machine" in ran.err
    assert (shell.files(), value_of(shell, "acme")) == (before, held)


def test_a_yes_replaces_it_and_the_old_one_is_gone(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    old = value_of(shell, "acme")
    assert shell("install", "--org", "acme", "--yes").code == 0
    assert value_of(shell, "acme") != old
    assert len(shell("list", "--json").json) == 1
    stored = b"".join(shell.files().values()).decode()
    assert old not in stored


def test_two_organizations_live_side_by_side_and_one_has_the_shared_channels(
    shell: Shell,
) -> None:
    for organization in ("acme", "globex"):
        assert shell("install", "--org", organization, "--yes").code == 0
    acme, globex = shell("list", "--json").json
    assert [url.rpartition("/")[2] for url in acme["scope"]] == ["acme", "main", "r", "msys2"]
    assert [url.rpartition("/")[2] for url in globex["scope"]] == ["globex"]


def test_the_shared_channels_can_be_taken_over(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    shell("install", "--org", "globex", "--yes", "--shared")
    acme, globex = shell("list", "--json").json
    assert len(acme["scope"]) == 1
    assert len(globex["scope"]) == 4
    which = shell("which", f"{shell.sandbox.repo}main/noarch/repodata.json", "--json")
    assert which.json["organization"] == "globex"


def test_channels_and_default_channels_are_configured_on_request(shell: Shell) -> None:
    url = f"{shell.sandbox.repo}acme/main"
    ran = shell("install", "--org", "acme", "-y", "--add-channel", url, "--set-default-channels")
    assert ran.code == 0
    text = (shell.home / DROP_IN).read_text()
    assert f'channels:\n  - "{url}"' in text
    assert "default_channels: #!final" in text
    assert f'"{shell.sandbox.repo}main"' in text


def test_a_reissue_keeps_what_was_configured_unless_told_otherwise(shell: Shell) -> None:
    url = f"{shell.sandbox.repo}acme/main"
    shell("install", "--org", "acme", "-y", "--add-channel", url, "--set-default-channels")
    before = (shell.home / DROP_IN).read_text()
    shell("install", "--org", "acme", "-y")
    assert (shell.home / DROP_IN).read_text() == before
    shell("install", "--org", "acme", "-y", "--no-set-default-channels")
    assert "default_channels" not in (shell.home / DROP_IN).read_text()


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
def test_what_the_organization_refuses_is_one_line_and_changes_nothing(
    shell: Shell, user: str, organization: str, code: int, words: list[str]
) -> None:
    shell.log_in(user)
    ran = shell("install", "--org", organization, "--yes")
    assert ran.code == code
    for word in words:
        assert word in ran.line
    assert shell.files() == {}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("not-a-key", ["does not accept", "ANACONDA_AUTH_API_KEY", "unset it"]),
        ("two words", ["not a token", "ANACONDA_AUTH_API_KEY"]),
    ],
)
def test_a_bad_api_key_is_one_line(shell: Shell, key: str, words: list[str]) -> None:
    shell.set("ANACONDA_AUTH_API_KEY", key)
    ran = shell("install", "--org", "acme", "--yes")
    assert ran.code in {2, 3}
    for word in words:
        assert word in ran.line
    assert key not in ran.err
    assert shell.files() == {}


def test_without_a_login_the_way_to_one_is_named(shell: Shell) -> None:
    shell.unset("ANACONDA_AUTH_API_KEY")
    ran = shell("install", "--org", "acme", "--yes")
    assert ran.code == 3
    assert "login" in ran.line
    assert "ANACONDA_AUTH_API_KEY" in ran.line


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 500}, ["500", "later"]),
        ({"status": 502, "body": b"<html>Bad gateway</html>"}, ["502"]),
        ({"status": 429, "headers": (("Retry-After", "7"),)}, ["slow down", "7 seconds"]),
        ({"status": 200, "body": b"<html>Log in</html>"}, ["proxy"]),
        ({"status": 200, "body": b'{"id": "x", "expi'}, ["proxy"]),
        ({"ending": Ending.RESET}, ["could not be reached"]),
    ],
)
def test_a_service_that_answers_badly_is_one_line_and_changes_nothing(
    shell: Shell, fault: dict[str, object], words: list[str]
) -> None:
    often = 8  # more than anything is retried
    shell.sandbox.fail_next("current-token", times=often, **fault)
    ran = shell("install", "--org", "acme", "--yes")
    assert ran.code == 5
    for word in words:
        assert word in ran.line
    assert shell.files() == {}


def test_a_service_that_is_down_is_one_line(shell: Shell) -> None:
    shell.set("CONDA_TOKEN_SERVICE_URL", "http://127.0.0.1:9")
    ran = shell("install", "--org", "acme", "--yes")
    assert ran.code == 5
    assert "127.0.0.1:9" in ran.line
    assert shell.files() == {}


def test_a_home_that_cannot_be_written_is_told_before_anything_is_issued(shell: Shell) -> None:
    (shell.home / ".conda").write_text("a file where a folder has to be")
    ran = shell("install", "--org", "acme", "--yes")
    assert ran.code == 7
    assert ".conda" in ran.line
    assert shell.sandbox.world.current("acme", "ada") is None


def test_a_store_that_cannot_be_written_is_told_before_anything_is_issued(shell: Shell) -> None:
    (shell.home / "not-a-folder").write_text("")
    shell.set("CONDA_TOKEN_HOME", str(shell.home / "not-a-folder"))
    ran = shell("install", "--org", "acme", "--yes")
    assert ran.code == 6
    assert "not-a-folder" in ran.line
    assert shell.sandbox.world.current("acme", "ada") is None


def test_a_token_that_the_repository_refuses_is_kept_and_told(shell: Shell) -> None:
    shell.sandbox.fail_next("^/repo/", times=8, status=403)
    ran = shell("install", "--org", "acme", "--yes")
    assert ran.code == 5
    assert "is stored all the same" in ran.line
    (held,) = shell("list", "--json").json
    assert held["proven"] is None


def test_with_json_an_error_is_a_document_on_stdout(shell: Shell) -> None:
    ran = shell("install", "--org", "acmee", "--yes", "--json")
    error = json.loads(ran.out)["error"]
    assert error["kind"] == "NoSuchOrganization"
    assert error["exit_code"] == ran.code == 4
    assert "conda-token-plugin install --org acme" in error["hint"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_disk_that_takes_nothing_more_is_told_before_anything_is_issued(shell: Shell) -> None:
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
def test_what_the_environment_supplies_is_not_replaced_but_named(shell: Shell, name: str) -> None:
    shell.set(name, "t" * 20)
    for words in ([], ["--reissue"], ["--if-expiring", "14d"]):
        ran = shell("install", "--org", "acme", "--yes", "--json", *words)
        assert (ran.code, ran.json["error"]["kind"]) == (2, "Supplied")
        assert f"is supplied by {name}, which" in ran.json["error"]["what"]
    assert not shell.sandbox.requests
    assert shell.files() == {}


def test_nothing_is_missing_where_the_environment_supplies_it(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN_ACME", "t" * 20)
    ran = shell("install", "--org", "acme", "--if-missing", "--yes", "--json")
    assert ran.code == 0
    assert (ran.json["action"], ran.json["source"]) == ("kept", "ANACONDA_REPO_TOKEN_ACME")
    assert shell.files() == {}

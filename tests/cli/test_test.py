"""`test`: each file of a channel, and which token opened it; with conda's sessions and without."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.sandbox.http.messages import Ending
from conda_token_plugin.settings import API_KEY

if TYPE_CHECKING:
    from tests.cli.conftest import Shell
    from tests.support.machine import Ran


@pytest.fixture
def acme(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell with a token of acme, where there is no conda."""
    monkeypatch.setattr("conda_token_plugin.cli.commands.test.find_spec", lambda _: None)
    shell.install("acme")
    shell.sandbox.requests.clear()
    return shell


def results(ran: Ran) -> dict[str, str]:
    (value,) = ran.json
    return {name: value[name]["result"] for name in ("repodata", "zst", "shards", "package")}


WORKS = {"repodata": "works", "zst": "works", "shards": "absent", "package": "works"}


def test_check_reports_each_file_and_the_token(acme: Shell) -> None:
    ran = acme("test", acme.sandbox.url_of("acme", "main"), "--json").well()
    assert results(ran) == WORKS
    assert ran.json[0]["token"]["organization"] == "acme"
    assert ran.json[0]["token"]["source"] == "file"


def test_redirected_files_are_requested_without_the_token(acme: Shell) -> None:
    ran = acme("test", acme.sandbox.url_of("acme", "private"), "--json").well()
    assert set(results(ran).values()) == {"works"}
    signed = [request for request in acme.sandbox.requests if "/signed/" in request.path]
    assert signed
    assert not any(request.authorization for request in signed)


def test_table_has_one_line_per_channel(acme: Shell) -> None:
    names = [acme.sandbox.url_of("acme", "main"), acme.sandbox.url_of("main")]
    ran = acme("test", *names)
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert [line.split("\t")[0] for line in lines[1:]] == names
    assert lines[0].split("\t") == ["channel", "repodata", "zst", "shards", "package", "token"]


def test_channel_of_another_organization_receives_the_api_key_and_no_token(acme: Shell) -> None:
    ran = acme("test", acme.sandbox.url_of("globex", "main"), "--json").well()
    assert ran.json[0]["token"]["source"] == API_KEY
    sent = {request.authorization for request in acme.sandbox.requests}
    assert sent <= {"", f"Bearer {acme.sandbox.world.api_key('ada')}"}


def test_channel_without_a_credential_is_refused(acme: Shell) -> None:
    acme.unset(API_KEY)
    ran = acme("test", acme.sandbox.url_of("globex", "main"), "--json")
    assert ran.code == 1
    assert results(ran)["repodata"] == "refused"
    assert ran.json[0]["token"] is None
    assert not any(request.authorization for request in acme.sandbox.requests)


def test_public_repodata_does_not_hide_a_revoked_token(acme: Shell) -> None:
    acme.sandbox.world.issue("acme", "ada")
    ran = acme("test", acme.sandbox.url_of("acme", "public-index"), "--json")
    assert ran.code == 1
    assert (results(ran)["repodata"], results(ran)["package"]) == ("works", "refused")


def test_url_without_a_channel_is_absent(acme: Shell) -> None:
    ran = acme("test", acme.sandbox.url_of("acme", "nothing"), "--json")
    assert ran.code == 1
    assert results(ran)["repodata"] == "absent"


def test_channels_of_the_tokens_are_checked_by_default(acme: Shell) -> None:
    ran = acme("test")
    assert ran.code == 1
    assert "No channel is configured" in ran.err
    channel = acme.sandbox.url_of("acme", "main")
    acme("install", "--org", "acme", "--reissue", "--add-channel", channel)
    ran = acme("test", "--json").well()
    assert [one["channel"] for one in ran.json] == [channel]


def test_channel_name_without_conda_is_an_error(acme: Shell) -> None:
    acme("test", "defaults").failed(2, "https://")


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        ({"status": 401}, "refused"),
        ({"status": 403}, "refused"),
        ({"status": 404}, "absent"),
        ({"status": 409}, "failed"),
        ({"status": 422}, "failed"),
        ({"status": 429}, "failed"),
        ({"status": 500}, "failed"),
        ({"status": 502, "body": b"<html>"}, "failed"),
        ({"status": 200, "body": b"<html>", "headers": (("Content-Type", "text/html"),)}, "failed"),
        ({"ending": Ending.RESET}, "failed"),
    ],
    ids=str,
)
@pytest.mark.parametrize("part", ["repodata", "zst", "package"])
def test_failure_of_one_file_does_not_change_the_others(
    acme: Shell, part: str, fault: dict[str, Any], finding: str
) -> None:
    patterns = {"repodata": r"repodata\.json$", "zst": r"json\.zst", "package": "acme-hello"}
    acme.sandbox.fail_next(patterns[part], times=9, **fault)
    ran = acme("test", acme.sandbox.url_of("acme", "main"), "--json")
    assert results(ran)[part] == finding
    assert ran.code == (0 if part == "zst" else 1)
    others = {name: word for name, word in results(ran).items() if name not in (part, "package")}
    assert others == {name: WORKS[name] for name in others}


# -- through conda's own sessions ------------------------------------------------------------------


def conda_test(*words: str) -> tuple[int, str]:
    """`conda token test …` in a process of its own: conda reads its settings when it starts."""
    variables = {**os.environ, "CONDA_REPORT_ERRORS": "false", "CONDA_REMOTE_MAX_RETRIES": "0"}
    command = [sys.executable, "-m", "conda_token_plugin", "test", *words, "--json"]
    ran = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran.returncode, ran.stdout


@pytest.mark.conda
def test_conda_session_uses_the_auth_handler(acme: Shell) -> None:
    acme.sandbox.requests.clear()
    code, out = conda_test(acme.sandbox.url_of("acme", "private"))
    assert code == 0
    assert {json.loads(out)[0][name]["result"] for name in WORKS} == {"works"}
    agents = {request.header("User-Agent").partition("/")[0] for request in acme.sandbox.requests}
    assert agents == {"conda"}


@pytest.mark.conda
@pytest.mark.parametrize("host", ["[::1", "h.example:99999"])
def test_url_that_conda_cannot_read_is_an_error_without_its_password(host: str) -> None:
    code, out = conda_test(f"http://joe:Winter2026@{host}/x")
    assert code == 2
    assert "conda cannot read it" in out
    assert "Winter" not in out


@pytest.mark.conda
@pytest.mark.parametrize("configured", [True, False])
def test_channel_with_a_password_and_without_a_scheme_is_not_requested_and_not_shown(
    shell: Shell,
    configured: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    name = "joe:Winter2026@h.example/x"
    (shell.home / ".condarc").write_text(
        json.dumps({"channel_alias": shell.sandbox.repo, "channels": [name]})
    )
    shell.sandbox.requests.clear()
    code, out = conda_test(*([] if configured else [name]))
    assert code == 2
    assert "it has no https://" in out
    assert "Winter" not in out
    assert not shell.sandbox.requests


@pytest.mark.conda
def test_configured_channels_of_conda_are_checked(acme: Shell) -> None:
    channels = [acme.sandbox.url_of("acme", "main"), acme.sandbox.url_of("globex", "main")]
    (acme.home / ".condarc").write_text(json.dumps({"channels": channels}))
    code, out = conda_test()
    found = {one["channel"]: one["works"] for one in json.loads(out)}
    assert code == 1
    assert {url: found[url] for url in channels} == {channels[0]: True, channels[1]: False}


@pytest.mark.conda
def test_token_in_a_channel_url_is_used_and_not_shown(acme: Shell) -> None:
    value = acme.sandbox.world.issue("acme", "ada").value
    code, out = conda_test(f"{acme.sandbox.service}/t/{value}/repo/acme/main")
    assert code == 0
    assert value not in out
    assert (json.loads(out)[0]["token"], json.loads(out)[0]["own_credentials"]) == (None, True)
    assert json.loads(out)[0]["channel"] == acme.sandbox.url_of("acme", "main")


@pytest.mark.conda
def test_offline_conda_is_reported(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDA_OFFLINE", "true")
    code, out = conda_test(shell.sandbox.url_of("acme", "main"))
    assert code == 1
    assert "offline" in json.loads(out)[0]["repodata"]["details"].lower()


@pytest.mark.conda
def test_site_named_on_the_command_line_applies_to_the_session_of_conda(shell: Shell) -> None:
    sandbox = shell.sandbox
    token = sandbox.world.issue("acme", "ada").value
    for name in ("CONDA_TOKEN_SERVICE_URL", "CONDA_TOKEN_REPO_URL", "ANACONDA_AUTH_API_KEY"):
        shell.unset(name)
    config = shell.home / ".anaconda" / "config.toml"
    config.parent.mkdir()
    config.write_text(
        f'default_site = "anaconda.com"\n[sites.corp]\n'
        f'domain = "{sandbox.service}"\nrepo_url = "{sandbox.repo}"\n'
    )
    entry = {"channel": f"{sandbox.repo}*", "auth": "conda-token-plugin"}
    (shell.home / ".condarc").write_text(json.dumps({"channel_settings": [entry]}))
    shell.set("ANACONDA_REPO_TOKEN", token)
    channel = sandbox.url_of("acme", "main")
    sandbox.requests.clear()

    assert conda_test(channel)[0] == 1
    assert token not in str([one.authorization for one in sandbox.requests])
    assert conda_test("--at", "corp", channel)[0] == 0

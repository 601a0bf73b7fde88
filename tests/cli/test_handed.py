"""`install --site` and its like: a token that somebody handed out."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Shell


@pytest.fixture
def site_token(shell: Shell) -> str:
    """The site token of acme, and nobody logged in."""
    shell.unset("ANACONDA_AUTH_API_KEY")
    return shell.issued("acme", "").value


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.mark.parametrize(
    "paste",
    [
        "{}",
        "{}\n",
        '  "{}"  \n',
        "https://repo.anaconda.cloud/t/{}/repo/acme/main",
        "conda token set {}",
        "anaconda token install --org acme {}",
        "Authorization: token {}",
        "Hello,\n\nhere is your token: {}\n\nRegards\n",
    ],
)
def test_a_token_is_found_in_whatever_is_piped(
    shell: Shell, site_token: str, monkeypatch: pytest.MonkeyPatch, paste: str
) -> None:
    stdin(monkeypatch, paste.format(site_token))
    ran = shell("install", "--site", "--org", "acme", "--token-stdin", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["kind"] == "site"
    assert ran.json["last_four"] == site_token[-4:]
    assert ran.json["proven"]
    assert ran.json["state"] == "unknown"
    assert site_token[:8] not in ran.out + ran.err


def test_a_token_comes_from_a_file_or_a_variable(
    shell: Shell, site_token: str, tmp_path: Path
) -> None:
    path = tmp_path / "mail"
    path.write_text(site_token)
    shell.set("HANDED_OUT", site_token)
    for words in (["--token-file", str(path)], ["--token-env", "HANDED_OUT"]):
        assert shell("install", "--site", "--org", "acme", *words).code == 0
        assert shell("remove", "acme").code == 0


def test_on_the_command_line_it_is_taken_with_a_warning_that_says_why_not(
    shell: Shell, site_token: str
) -> None:
    ran = shell("install", "--site", "--org", "acme", site_token)
    assert ran.code == 0
    assert "history" in ran.err
    assert "--token-stdin" in ran.err
    assert site_token[:8] not in ran.err


def test_the_expiry_is_unknown_unless_it_is_told(shell: Shell, site_token: str) -> None:
    shell.set("T", site_token)
    install = ("install", "--site", "--org", "acme", "--token-env", "T")
    assert "unknown (set it with --expires DATE)" in shell(*install).err
    assert (
        shell(*install, "--expires", "2031-05-01", "--json")
        .json["expires"]
        .startswith("2031-05-01")
    )


@pytest.mark.parametrize("date", ["soon", "2031-13-01", "2031-02-30", ""])
def test_an_expiry_that_is_no_date_is_an_error(shell: Shell, date: str) -> None:
    ran = shell("install", "--site", "--org", "acme", "--token-env", "T", "--expires", date)
    assert ran.code == 2
    assert "2027-01-31" in ran.line


def test_a_token_that_does_not_work_is_not_stored(shell: Shell, site_token: str) -> None:
    shell.set("T", site_token[::-1])
    ran = shell("install", "--site", "--org", "acme", "--token-env", "T")
    assert ran.code == 5
    assert "It was not stored" in ran.line
    assert shell("list", "--json").json == []


def test_without_validation_nothing_is_requested_and_the_list_shows_it(
    shell: Shell, site_token: str
) -> None:
    shell.set("T", site_token[::-1])
    ran = shell("install", "--site", "--org", "acme", "--token-env", "T", "--no-validate")
    assert ran.code == 0
    assert len(shell.sandbox.requests) == 0
    assert "not proven" in shell("list").out


def test_channels_of_another_server_are_its_scope_and_its_name(shell: Shell) -> None:
    shell.set("T", "k" * 32)
    url = "https://quetz.example/get/team"
    install = ("install", "-c", url, "--token-env", "T", "--no-validate", "--send-as", "path")
    held = shell(*install, "--json").json
    assert held["scope"] == [url]
    assert held["organization"] == "quetz.example"
    assert held["way"] == "path"
    assert "/t/<token>/" in shell("which", f"{url}/noarch/repodata.json").out
    assert shell("which", "https://quetz.example/get/teams").code == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--site"], "--org"),
        (["--site", "--org", "acme"], "--token-stdin"),
        (["--site", "--org", "acme", "--token-env", "ABSENT"], "ABSENT"),
        (["--site", "--org", "acme", "--token-file", "/absent"], "/absent"),
        (["--site", "--org", "acme", "--token-env", "A", "--token-stdin"], "2 times"),
        (["--site", "--org", "a/b", "--token-env", "T"], "No organization is called"),
        (["-c", "http://quetz.example/x", "--token-env", "T"], "not encrypted"),
        (["-c", "https://q.example", "--token-env", "T", "--username", "me"], "--send-as basic"),
        (["--site", "--org", "acme", "--token-env", "TWO"], "several"),
        (["--site", "--org", "acme", "--token-env", "NONE"], "letters and digits"),
    ],
)
def test_what_does_not_fit_is_one_line_and_changes_nothing(
    shell: Shell, words: list[str], expected: str
) -> None:
    shell.set("T", "k" * 48)
    shell.set("TWO", f"{'k' * 48} {'j' * 48}")
    shell.set("NONE", "there is no such thing in here")
    ran = shell("install", *words)
    assert ran.code == 2
    assert expected in ran.line
    assert shell.files() == {}


@pytest.mark.parametrize(
    ("words", "days", "action", "why"),
    [
        (["--if-missing"], None, "issued", "none is stored"),
        (["--if-missing"], 1, "kept", "still works"),
        (["--if-expiring", "14d"], 100, "kept", "still works"),
        (["--if-expiring", "2w"], 10, "replaced", "days left"),
        (["--if-expiring", "48h"], -3, "replaced", "expired"),
        (["--reissue"], 100, "replaced", "asked for"),
    ],
)
def test_a_script_says_when_and_is_told_what_was_done_and_why(
    shell: Shell, words: list[str], days: int | None, action: str, why: str
) -> None:
    if days is not None:
        shell("install", "--org", "acme", "--yes")
        expire(shell, days=days)
    ran = shell("install", "--org", "acme", *words, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["action"] == action
    assert why in ran.json["why"]


def test_what_is_kept_costs_no_request_and_needs_no_login(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    shell.unset("ANACONDA_AUTH_API_KEY")
    shell.sandbox.requests.clear()
    assert shell("install", "--org", "acme", "--if-missing").code == 0
    assert len(shell.sandbox.requests) == 0


def expire(shell: Shell, **span: Any) -> None:
    """Have the stored token of acme expire in ``span`` from now."""
    from datetime import datetime, timedelta, timezone

    from conda_token_plugin.environment import Environment
    from conda_token_plugin.store import user_store

    assert shell.home
    store = user_store(Environment())
    (held,) = store.tokens()
    store.update(held._replace(expires=datetime.now(timezone.utc) + timedelta(**span)))


@pytest.fixture
def machine(shell: Shell, tmp_path: Path) -> Path:
    """A place for the machine's store and its drop-in."""
    shell.set("CONDA_TOKEN_SYSTEM_HOME", str(tmp_path / "etc" / "store"))
    shell.set("CONDA_TOKEN_SYSTEM_CONDARC", str(tmp_path / "etc" / "condarc.d" / "ours.yml"))
    return tmp_path / "etc"


def test_a_site_token_for_the_whole_machine_is_kept_apart_from_the_users(
    shell: Shell, site_token: str, machine: Path
) -> None:
    shell.set("T", site_token)
    ran = shell("install", "--site", "--org", "acme", "--system", "--token-env", "T")
    assert ran.code == 0, ran.err
    assert "of this machine" in ran.err
    assert [held["source"] for held in shell("list", "--json").json] == ["machine"]
    assert f"{shell.sandbox.repo}*" in (machine / "condarc.d" / "ours.yml").read_text()
    assert shell.files() == {}
    assert "machine" in shell("which", f"{shell.sandbox.repo}acme/main").out


def test_the_machines_token_is_removed_only_when_it_is_said(
    shell: Shell, site_token: str, machine: Path
) -> None:
    shell.set("T", site_token)
    shell("install", "--site", "--org", "acme", "--system", "--token-env", "T")
    assert shell("remove", "acme").code == 1
    assert shell("remove", "acme", "--system").code == 0
    assert shell("list", "--json").json == []
    assert not (machine / "condarc.d" / "ours.yml").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may chown")
def test_a_group_may_read_the_machines_store_and_nobody_else(
    shell: Shell, site_token: str, machine: Path
) -> None:
    shell.set("T", site_token)
    words = ("install", "--site", "--org", "acme", "--system", "--token-env", "T")
    assert shell(*words, "--group", "nogroup").code == 0
    for path in (machine / "store", *(machine / "store").rglob("*")):
        assert path.group() == "nogroup"
        assert not path.stat().st_mode & 0o007
    assert shell(*words, "--group", "no-such-group").code == 2

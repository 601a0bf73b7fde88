"""`install --site` and its like: a token that somebody handed out."""

from __future__ import annotations

import io
import os
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

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


def test_a_token_for_one_channel_is_tried_there_and_nowhere_else(
    shell: Shell, site_token: str
) -> None:
    shell.set("T", site_token)
    channel = f"{shell.sandbox.repo}acme/private"
    ran = shell("install", "--site", "--org", "acme", "-c", channel, "--token-env", "T")
    assert f"Proven:   package of {channel}" in ran.err
    sent = [request.path for request in shell.sandbox.requests if request.authorization]
    assert sent
    assert all(path.startswith("/repo/acme/private/") for path in sent)


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
    assert "not verified" in shell("list").out


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
        (["--if-expiring", "2w"], -3, "replaced", "expired"),
        (["--reissue"], 100, "replaced", "asked for"),
    ],
)
def test_a_script_says_when_and_is_told_what_was_done_and_why(
    shell: Shell, words: list[str], days: int | None, action: str, why: str
) -> None:
    if days is not None:
        install_for(shell, days=days)
        shell.sandbox.world.renew("acme")
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


def install_for(shell: Shell, *, days: int) -> None:
    """Have a token of acme issued ten days ago, which ends with the subscription in ``days``."""
    clock = shell.sandbox.clock
    now = clock.now()
    clock.set(now - timedelta(days=10))
    shell.sandbox.world.end("acme", now + timedelta(days=days))
    assert shell("install", "--org", "acme", "--yes").code == 0
    clock.set(now)


def script(shell: Shell, *words: str) -> tuple[str, str]:
    """What `install` did as a script calls it, and why."""
    ran = shell("install", "--org", "acme", *words, "--json")
    assert ran.code == 0, ran.out
    return ran.json["action"], ran.json["why"]


def test_a_script_does_not_replace_a_token_by_one_that_ends_no_later(shell: Shell) -> None:
    install_for(shell, days=10)
    before = shell.issued("acme")
    for _ in range(2):
        action, why = script(shell, "--if-expiring", "14d")
        assert (action, why) == ("kept", "a new one would end on the same day")
    assert shell.issued("acme") == before


def test_a_script_does_not_replace_a_token_that_was_extended_on_the_page(shell: Shell) -> None:
    install_for(shell, days=10)
    shell.sandbox.world.renew("acme")
    shell.sandbox.world.sync(shell.issued("acme").id)
    assert script(shell, "--if-expiring", "14d") == ("kept", "it was extended")
    assert script(shell, "--if-expiring", "14d") == ("kept", "it still works")


@pytest.mark.parametrize("words", [["--if-missing"], ["--if-expiring", "14d"]])
def test_a_script_does_not_replace_the_token_of_another_machine_unasked(
    shell: Shell, words: list[str]
) -> None:
    shell("install", "--org", "acme", "--yes")
    shell("remove", "acme")
    elsewhere = shell.issued("acme")
    ran = shell("install", "--org", "acme", *words)
    assert ran.code == 2
    assert str(elsewhere.id) in ran.err
    assert "--yes" in ran.line
    assert shell.issued("acme") == elsewhere


def test_a_script_that_finds_its_token_reissued_elsewhere_asks_first(shell: Shell) -> None:
    install_for(shell, days=10)
    elsewhere = shell.sandbox.world.issue("acme", "ada")
    ran = shell("install", "--org", "acme", "--if-expiring", "14d")
    assert ran.code == 2
    assert str(elsewhere.id) in ran.err
    assert shell.issued("acme") == elsewhere
    action, why = script(shell, "--if-expiring", "14d", "--yes")
    assert (action, why) == ("replaced", "the stored one is revoked")


def test_a_token_of_another_server_is_none_for_the_repository(shell: Shell) -> None:
    shell.set("T", "k" * 48)
    shell(
        "install",
        "--org",
        "acme",
        "-c",
        "https://q.example/acme",
        "--token-env",
        "T",
        "--no-validate",
    )
    assert script(shell, "--if-missing") == ("issued", "none is stored")


def test_what_is_kept_is_made_known_to_conda_again(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    (drop_in,) = shell.home.rglob("conda-token-plugin.yml")
    before = drop_in.read_bytes()
    drop_in.unlink()
    assert script(shell, "--if-missing")[0] == "kept"
    assert drop_in.read_bytes() == before


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


@pytest.mark.parametrize("option", ["--system", "-s"])
def test_the_machines_token_is_removed_only_when_it_is_said(
    shell: Shell, site_token: str, machine: Path, option: str
) -> None:
    shell.set("T", site_token)
    shell("set", "--org", "acme", option, "--token-env", "T", "--no-set-default-channels")
    assert shell("remove", "acme").code == 1
    assert shell("remove", "acme", option).code == 0
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


def test_the_token_that_a_variable_supplies_may_be_stored_and_no_other(
    shell: Shell, site_token: str
) -> None:
    shell.set("ANACONDA_REPO_TOKEN_ACME", site_token)
    shell.set("ANOTHER", site_token[::-1])
    site = ("install", "--site", "--org", "acme", "--token-env")
    refused = shell(*site, "ANOTHER")
    assert refused.code == 2
    assert "supplied by ANACONDA_REPO_TOKEN_ACME" in refused.line
    assert shell.files() == {}
    assert shell(*site, "ANACONDA_REPO_TOKEN_ACME").code == 0

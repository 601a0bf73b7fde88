"""`which`: the token of a URL, its source, and the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


def test_which_names_the_token_its_source_and_the_reason(acme: Shell) -> None:
    ran = acme("which", f"{acme.sandbox.repo}acme/main/noarch/repodata.json").well()
    for word in ("acme", "file", "longest", "Authorization: token"):
        assert word in ran.out


@pytest.mark.parametrize("words", [["list"], ["status"], ["which"], ["run", "--", "true"]])
def test_loose_mode_is_repaired_and_reported_by_every_reading_command(
    acme: Shell, words: list[str]
) -> None:
    index = Settings().store_folder / "index.json"
    index.chmod(0o644)
    where = [f"{acme.sandbox.repo}acme/main"] if words == ["which"] else []
    line = f"The mode of {index} was changed from 0644 to 0600."
    assert acme(*words, *where).err.splitlines().count(line) == 1
    assert line not in acme(*words, *where).err


@pytest.mark.parametrize("path", ["acme", "acme/", "acme/main", "acme/main/linux-64/x.conda", "r"])
def test_token_covers_a_channel_and_its_files(acme: Shell, path: str) -> None:
    assert acme("which", f"{acme.sandbox.repo}{path}", "--json").json["organization"] == "acme"


@pytest.mark.parametrize(
    ("path", "code"),
    [("main", 0), ("main/noarch/x-1-0.conda?a=b", 1), ("main/noarch/x-1-0.tar.bz2", 1)],
)
def test_slashes_before_the_path_count_for_a_package_and_not_for_a_channel(
    acme: Shell, path: str, code: int
) -> None:
    acme.unset("ANACONDA_AUTH_API_KEY")
    typed = f"{acme.sandbox.repo.replace('/repo/', '//repo/')}acme/{path}"
    ran = acme("which", typed)
    assert ran.code == code
    if code:
        assert f"No token covers {typed.partition('?')[0]}" in ran.line


@pytest.mark.parametrize("path", ["acme-evil/main", "globex/main", "acmee", ""])
def test_which_of_an_uncovered_url_exits_with_1(acme: Shell, path: str) -> None:
    acme.unset("ANACONDA_AUTH_API_KEY")
    acme("which", f"{acme.sandbox.repo}{path}").failed(1, "without one")


def test_which_prefers_and_names_the_environment(acme: Shell) -> None:
    acme.set("ANACONDA_REPO_TOKEN_ACME", "e" * 20)
    assert "ANACONDA_REPO_TOKEN_ACME" in acme("which", f"{acme.sandbox.repo}acme/main").out


def test_which_makes_no_request(acme: Shell) -> None:
    acme.sandbox.requests.clear()
    acme("which", f"{acme.sandbox.repo}acme/main")
    assert len(acme.sandbox.requests) == 0


@pytest.mark.parametrize(
    "url", ["host.example/x", "http://repo.anaconda.cloud/repo/acme", "https://h/../x"]
)
def test_which_of_an_invalid_channel_url_is_an_error(shell: Shell, url: str) -> None:
    shell("which", url).failed(2, "https://")


@pytest.mark.parametrize("name", ["acme", "acme/main", "main"])
def test_channel_of_the_repository_can_be_given_by_its_name(acme: Shell, name: str) -> None:
    ran = acme("which", name, "--json")
    assert ran.json["url"] == f"{acme.sandbox.repo}{name}"
    assert ran.json["organization"] == "acme"


def test_api_key_is_named_where_no_token_covers_the_channel(shell: Shell) -> None:
    ran = shell("which", f"{shell.sandbox.repo}acme/main").well()
    for words in ("API key …", "ANACONDA_AUTH_API_KEY", "Authorization: bearer"):
        assert words in ran.out


def test_token_comes_before_the_api_key_which_is_sent_if_it_is_refused(acme: Shell) -> None:
    found = acme("which", f"{acme.sandbox.repo}acme/main", "--json").json
    assert (found["kind"], found["if_refused"]["kind"]) == ("individual", "api-key")


def test_channel_for_api_keys_only_gets_the_key_first(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN", "e" * 20)
    found = shell("which", f"{shell.sandbox.repo}main-x", "--json").json
    assert (found["kind"], found["if_refused"]["source"]) == ("api-key", "ANACONDA_REPO_TOKEN")

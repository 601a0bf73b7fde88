"""`sites` and `--at`: one name for a service, its repository and its login."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import API_KEY

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox
    from tests.cli.conftest import Shell


@pytest.fixture
def two_sites(shell: Shell, other_site: Sandbox) -> Sandbox:
    """Configure the sandbox as `corp`, the default, and another one as `other`."""
    shell.unset("CONDA_TOKEN_SERVICE_URL")
    shell.unset("CONDA_TOKEN_REPO_URL")
    mine = shell.sandbox
    config = shell.home / ".anaconda" / "config.toml"
    config.parent.mkdir()
    config.write_text(
        f'default_site = "corp"\n'
        f'[sites.corp]\ndomain = "{mine.service}"\nrepo_url = "{mine.repo}"\n'
        f'[sites.other]\ndomain = "{other_site.service}"\nrepo_url = "{other_site.repo}"\n'
        f'api_key = "{other_site.world.api_key("grace")}"\n'
    )
    return other_site


def test_sites_are_listed_with_where_each_is_defined(shell: Shell, two_sites: Sandbox) -> None:
    found = {one["site"]: one for one in shell("sites", "--json").json}
    assert found.keys() == {"corp", "other", "anaconda.com"}
    assert found["corp"]["chosen"]
    assert found["other"]["service"] == two_sites.service
    assert found["other"]["source"].endswith("config.toml")
    assert found["other"]["api_key"] is True
    assert found["anaconda.com"]["source"] == "built in"


def test_sites_never_shows_an_api_key(shell: Shell, two_sites: Sandbox) -> None:
    ran = shell("sites")
    assert two_sites.world.api_key("grace") not in ran.out + ran.err


@pytest.mark.parametrize("place", ["before", "after", "joined"])
def test_at_chooses_the_site_before_and_after_the_command(
    shell: Shell, two_sites: Sandbox, place: str
) -> None:
    words = {
        "before": ("--at", "other", "whoami"),
        "after": ("whoami", "--at", "other"),
        "joined": ("--at=other", "--json", "whoami"),
    }[place]
    ran = shell(*words).well()
    assert two_sites.service in ran.out
    assert "grace" in ran.out
    assert len(shell.sandbox.requests) == 0


def test_key_of_one_site_is_not_sent_to_the_other(shell: Shell, two_sites: Sandbox) -> None:
    key = shell.sandbox.world.api_key("ada")
    shell.set(API_KEY, key)
    shell("whoami")
    shell("status", "--at", "other")
    shell("whoami", "--at", "other")
    assert {one.authorization for one in shell.sandbox.requests} <= {"", f"Bearer {key}"}
    assert not any(key in one.authorization for one in two_sites.requests)


def test_missing_login_names_the_service_of_the_site(shell: Shell, two_sites: Sandbox) -> None:
    shell.unset(API_KEY)
    shell("whoami", "--at", "corp").failed(3, f"not logged in to {shell.sandbox.service}")
    assert len(two_sites.requests) == 0


def test_unknown_site_is_an_error_that_names_the_known_ones(
    shell: Shell, two_sites: Sandbox
) -> None:
    ran = shell("list", "--at", "nowhere").failed(2)
    assert all(name in ran.line for name in ("corp", "other"))
    assert len(two_sites.requests) == 0


@pytest.mark.parametrize("name", ["CONDA_TOKEN_SITE", "ANACONDA_DEFAULT_SITE"])
def test_unknown_site_of_a_variable_is_named_with_it_and_sites_lists_the_others(
    shell: Shell, two_sites: Sandbox, name: str
) -> None:
    shell.set(name, "nowhere")
    shell("whoami").failed(2, f"'nowhere' ({name})", f"Correct {name}", "run: conda-token")
    listed = shell("sites", "--json").well()
    assert f"({name})" in listed.err
    assert {one["site"] for one in listed.json} == {"corp", "other", "anaconda.com"}
    assert len(two_sites.requests) == 0


@pytest.mark.usefixtures("two_sites")
def test_command_of_a_hint_has_the_site_that_was_chosen(shell: Shell) -> None:
    shell.set(API_KEY, shell.sandbox.world.api_key("ada"))
    ran = shell("whoami", "--at", "anaconda.com").failed(3, "-plugin --at anaconda.com login")
    assert "or set" not in ran.line
    shell("whoami", "--at", "no where").failed(2, "run: conda-token-plugin sites")


@pytest.mark.usefixtures("two_sites")
def test_site_that_gets_the_key_of_a_variable_is_listed_with_it(shell: Shell) -> None:
    shell.set(API_KEY, shell.sandbox.world.api_key("ada"))
    given = {one["site"]: one["variable"] for one in shell("sites", "--json").json}
    assert given == {"corp": API_KEY, "other": "", "anaconda.com": ""}


def test_sync_leaves_the_token_of_another_site_alone(acme: Shell, two_sites: Sandbox) -> None:
    before = acme.held()[0]
    ran = acme("sync", "--at", "other").well()
    assert "does not belong to the site other" in ran.err
    assert acme.held()[0] == before
    assert len(two_sites.requests) == 0

"""A channel that belongs to one organization's token and is given to another organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from tests.support import tokens

if TYPE_CHECKING:
    from tests.cli.conftest import Shell
    from tests.support.machine import Ran

SERVER = "http://127.0.0.1:8000"


def install(shell: Shell, organization: str, *channels: str) -> Ran:
    shell.set("T", tokens.value(organization))
    places = [word for channel in channels for word in ("-c", f"{SERVER}/{channel}")]
    return shell(
        *("install", "--site", "--org", organization, "--token-env", "T", "--no-validate", "--yes"),
        *places,
    ).well()


def scopes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for token in user_store(Settings()).tokens():
        found[token.organization] = [prefix.rpartition("/")[2] for prefix in token.scope]
    return found


@pytest.mark.parametrize(
    ("given", "left"), [(["a"], ["b"]), (["b"], ["a"]), (["a", "b"], [])], ids=str
)
def test_organization_keeps_its_other_channels_if_another_takes_one(
    shell: Shell, given: list[str], left: list[str]
) -> None:
    install(shell, "beta", "a", "b")
    key = next(iter(user_store(Settings()).tokens())).key
    install(shell, "acme", *given)
    assert scopes() == {"acme": given, "beta": left}
    assert user_store(Settings()).secret(key) == tokens.secret("beta")
    assert shell("list").code == 0
    for organization, channels in scopes().items():
        for channel in channels:
            ran = shell("which", f"{SERVER}/{channel}/noarch", "--json")
            assert ran.json["organization"] == organization


def test_token_is_replaced_when_its_organization_installs_one_for_what_it_has_left(
    shell: Shell,
) -> None:
    install(shell, "beta", "a", "b")
    install(shell, "acme", "a")
    install(shell, "beta", "b")
    assert len(user_store(Settings()).tokens()) == 2
    assert scopes() == {"acme": ["a"], "beta": ["b"]}


def test_organization_that_loses_its_last_channel_is_named_with_the_command_that_removes_it(
    shell: Shell,
) -> None:
    line = "beta has no channel left. To remove its token: conda-token-plugin remove beta"
    install(shell, "beta", "a", "b")
    assert line not in install(shell, "acme", "a").err
    assert line in install(shell, "acme", "a", "b").err
    shell("remove", "beta").well()
    assert line not in install(shell, "acme", "a", "b").err


def test_import_names_an_organization_that_loses_its_last_channel(shell: Shell) -> None:
    install(shell, "beta", "a")
    url = f"{SERVER}/t/{tokens.value('acme')}/a"
    (shell.home / ".condarc").write_text(f"channels: [{url}]\n", "utf-8")
    ran = shell("import", "--org", "acme", "--yes", "--no-validate").well()
    assert "beta has no channel left." in ran.err

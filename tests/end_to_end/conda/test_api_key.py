"""The API key as a credential for channels, with a real conda."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.api_key import channel_credential
from conda_token_plugin.tokens.secret import Secret
from tests.support.machine import Machine

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox
    from conda_token_plugin.sandbox.http.messages import Recorded

pytestmark = pytest.mark.conda

PACKAGES = ("acme-hello", "globex-hello")


def package_dropin(machine: Machine) -> None:
    """Write the entry that the conda package installs, for the repository of the sandbox."""
    machine.condarc(
        f'channel_settings: [{{channel: "{machine.sandbox.repo}*", auth: conda-token-plugin}}]\n'
        "repodata_threads: 1\n"
    )


def repository_requests(sandbox: Sandbox, part: str = "/repo/") -> list[Recorded]:
    return [one for one in sandbox.requests if part in one.path]


def test_api_key_in_the_environment_installs_from_two_organizations(
    machine: Machine, solver: str
) -> None:
    machine.variables["CONDA_SOLVER"] = solver
    package_dropin(machine)
    key = machine.sandbox.world.api_key("ada")

    machine.create(
        *machine.only("acme/main", "globex/main"), *PACKAGES, ANACONDA_AUTH_API_KEY=key
    ).well()

    assert machine.installed() == set(PACKAGES)
    assert {one.authorization for one in repository_requests(machine.sandbox)} == {f"Bearer {key}"}
    assert not machine.store_folder.exists()


def test_revoked_token_is_replaced_by_the_api_key_after_one_retry(
    machine: Machine, solver: str
) -> None:
    machine.variables["CONDA_SOLVER"] = solver
    token = machine.install("acme", "--reissue")
    package_dropin(machine)
    world = machine.sandbox.world
    current = world.current("acme", "ada")
    assert current is not None
    world.revoke(current.id)
    key = world.api_key("ada")

    ran = machine.create(*machine.only("acme/main"), "acme-hello", ANACONDA_AUTH_API_KEY=key).well()

    assert machine.installed() == {"acme-hello"}
    seen = repository_requests(machine.sandbox)
    refused = [one for one in seen if one.status in (401, 403)]
    assert [one.authorization for one in refused] == [f"token {token}"]
    repeated = [one for one in seen if one.path == refused[0].path]
    assert [one.authorization for one in repeated[:2]] == [f"token {token}", f"Bearer {key}"]
    assert token not in ran.said
    assert key not in ran.said


def test_channel_for_api_keys_only_receives_the_key_where_a_token_covers_it(
    machine: Machine,
) -> None:
    package_dropin(machine)
    world = machine.sandbox.world
    key = world.api_key("ada")
    token = world.current("acme")
    assert token is not None
    url = machine.sandbox.url_of("main-x")

    machine.create(
        *("--override-channels", "-c", url, "main-x-hello"),
        ANACONDA_AUTH_API_KEY=key,
        ANACONDA_REPO_TOKEN=token.value,
    ).well()

    assert {one.authorization for one in repository_requests(machine.sandbox)} == {f"Bearer {key}"}


def test_both_credentials_refused_are_each_sent_once_and_both_named(machine: Machine) -> None:
    token = machine.install("acme", "--reissue")
    package_dropin(machine)
    world = machine.sandbox.world
    world.take_seat("acme", "ada")
    key = world.api_key("ada")

    ran = machine.create(
        *machine.only("acme/main"), "acme-hello", ANACONDA_AUTH_API_KEY=key
    ).badly()

    world.give_seat("acme", "ada")
    seen = repository_requests(machine.sandbox, "/repo/acme/")
    assert sum(one.authorization == f"Bearer {key}" for one in seen) == 1
    assert "API key" in ran.said
    assert f"…{token[-4:]}" in ran.said
    assert "ANACONDA_AUTH_API_KEY" in ran.said
    assert key not in ran.said


def test_login_opens_channels_and_is_sent_to_no_other_site(
    tmp_path: Path, sandbox: Sandbox, other_site: Sandbox
) -> None:
    machine = Machine(tmp_path / "both", sandbox)
    del machine.variables["CONDA_TOKEN_SERVICE_URL"], machine.variables["CONDA_TOKEN_REPO_URL"]
    config = machine.home / ".anaconda" / "config.toml"
    config.parent.mkdir()
    config.write_text(
        f'default_site = "corp"\n'
        f'[sites.corp]\ndomain = "{sandbox.service}"\nrepo_url = "{sandbox.repo}"\n'
        f'[sites.other]\ndomain = "{other_site.service}"\nrepo_url = "{other_site.repo}"\n'
    )
    mine, theirs = sandbox.world.api_key("ada"), other_site.world.api_key("grace")
    given = {"ANACONDA_AUTH_API_KEY": mine}
    store = user_store(machine.settings)
    prefix = other_site.repo.rstrip("/")
    opens = channel_credential(Secret(theirs), prefix=prefix)
    store.set_login(other_site.service, Secret(theirs), opens=opens)

    words = ("acme-hello", "--no-deps")
    machine.condarc(
        "channel_settings:\n"
        f'  - {{channel: "{sandbox.repo}*", auth: conda-token-plugin}}\n'
        f'  - {{channel: "{other_site.repo}*", auth: conda-token-plugin}}\n'
    )
    machine.create(*machine.only("acme/main"), *words, **given).well()
    machine.forget()
    machine.create(*machine.only(other_site.url_of("acme", "main")), *words, **given).well()
    machine.conda("token", "whoami", **given).well()

    assert {one.authorization for one in sandbox.requests} == {f"Bearer {mine}"}
    assert {one.authorization for one in other_site.requests} == {f"Bearer {theirs}"}

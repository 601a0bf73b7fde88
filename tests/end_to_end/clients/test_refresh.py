"""Real clients go on working after the token that was exported to them is replaced."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.rattler import installs, names, needs_rattler
from tests.support.servers import basic_files, recording

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.machine import Machine

OLD, NEW = "acme-Pa55.word_0123", "acme-Pa55.word_4567"


@needs_rattler
def test_rattler_installs_after_the_exported_token_was_reissued(machine: Machine) -> None:
    url = machine.sandbox.url_of("acme", "main")
    old = machine.install("acme", with_conda=False)
    machine.plugin("export", "rattler", "mamba", "--yes").well()
    installs(machine, url, packages="acme-tools", folder="a").well()

    new = machine.install("acme", "--reissue", with_conda=False)

    assert new != old
    installs(machine, url, packages="acme-tools", folder="b").well()
    files = (".rattler/credentials.json", ".mamba/auth/authentication.json")
    texts = [(machine.home / name).read_text() for name in files]
    assert all(new in text and old not in text for text in texts)


@needs_rattler
def test_export_that_cannot_be_refreshed_is_named_with_the_command(machine: Machine) -> None:
    machine.install("acme", with_conda=False)
    machine.plugin("export", "rattler").well()
    path = machine.home / ".rattler" / "credentials.json"
    path.write_text('{"damaged": ')
    key = machine.sandbox.world.api_key("ada")

    ran = machine.plugin(
        "install", "--yes", "--org", "acme", "--reissue", ANACONDA_AUTH_API_KEY=key
    )

    assert str(path) in ran.err
    assert "export rattler --org acme" in ran.err
    assert path.read_text() == '{"damaged": '


@needs_rattler
def test_rattler_opens_two_organizations_of_one_host_with_an_exported_api_key(
    machine: Machine,
) -> None:
    key = machine.sandbox.world.api_key("ada")
    machine.plugin("export", "rattler", "--api-key", ANACONDA_AUTH_API_KEY=key).well()
    urls = [machine.sandbox.url_of(name, "main") for name in ("acme", "globex")]

    done = installs(machine, *urls, packages="acme-tools globex-tools", folder="a").well()

    assert names(done.out) == ["acme-hello", "acme-tools", "globex-hello", "globex-tools"]


@pytest.mark.conda
def test_conda_without_the_plugin_installs_after_the_exported_token_was_reissued(
    machine: Machine,
) -> None:
    machine.install("acme", with_conda=False)
    machine.plugin("export", "conda", "--yes").well()
    new = machine.install("acme", "--reissue", with_conda=False)
    channel = machine.sandbox.url_of("acme", "main")

    machine.create(
        *("--override-channels", "-c", channel, "acme-tools"), **machine.without_plugin()
    ).well()

    seen = [one for one in machine.sandbox.requests if "/repo/acme/" in one.path]
    assert seen
    assert all(one.path.startswith(f"/t/{new}/") for one in seen)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_reads_the_password_that_replaced_the_exported_one(
    machine: Machine, files_of_sandbox: Path
) -> None:
    passwords = {"acme": OLD}
    with recording(basic_files(files_of_sandbox, passwords)) as server:
        url = f"{server.url}/acme/main"
        words = ("--site", "--org", "acme", "-c", url, "--send-as", "basic", "--username", "acme")
        machine.plugin("install", *words, "--token-stdin", "--yes", stdin=OLD).well()
        machine.plugin("export", "netrc", "--yes").well()
        passwords["acme"] = NEW
        machine.plugin("install", *words, "--token-stdin", "--yes", stdin=NEW).well()

        done = subprocess.run(
            [
                str(shutil.which("curl")),
                *("--netrc", "--silent", "--fail", f"{url}/noarch/repodata.json"),
            ],
            env={"HOME": str(machine.home)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert "acme-hello" in done.stdout

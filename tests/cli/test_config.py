"""`config`: default channels and channels of one's own, shown first, written whole, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

DROP_IN = ".conda/condarc.d/conda-token-plugin.yml"
SHARED = ("main", "r", "msys2")


@pytest.fixture
def acme(shell: Shell) -> Shell:
    """A shell whose user has a token of acme."""
    shell("install", "--org", "acme", "--yes")
    return shell


def test_a_dry_run_shows_what_would_be_written_and_writes_nothing(acme: Shell) -> None:
    before = acme.files()

    ran = acme("config", "--dry-run")

    assert ran.code == 0
    assert "default_channels: #!final" in ran.out
    assert acme.files() == before
    acme("config", "--force")
    assert (acme.home / DROP_IN).read_text() == ran.out


def test_default_channels_are_set_and_undone(acme: Shell) -> None:
    before = (acme.home / DROP_IN).read_text()

    assert acme("config", "--force").code == 0

    text = (acme.home / DROP_IN).read_text()
    assert [name for name in SHARED if f'- "{acme.sandbox.url_of(name)}"' in text] == list(SHARED)
    assert acme("config", "--undo", "--force").code == 0
    assert (acme.home / DROP_IN).read_text() == before


def test_channels_of_the_organization_are_added_as_channels(acme: Shell) -> None:
    url = acme.sandbox.url_of("acme", "main")

    acme("config", "-c", f"{url}/", "--force")
    acme("config", "-c", acme.sandbox.url_of("acme", "private"), "--force")

    text = (acme.home / DROP_IN).read_text()
    section = text.partition("\nchannels:\n")[2].partition("\ndefault_channels")[0]
    private = acme.sandbox.url_of("acme", "private")
    assert section.splitlines() == [f'  - "{one}" #!top' for one in (url, private)]


def test_a_channel_that_no_token_covers_is_refused(acme: Shell) -> None:
    before = acme.files()

    ran = acme("config", "-c", acme.sandbox.url_of("globex", "main"), "--force")

    assert ran.code == 2
    assert "No token covers" in ran.line
    assert acme.files() == before


def test_archive_channels_get_into_the_tokens_scope(acme: Shell) -> None:
    acme("config", "--include-archive-channels", "free", "pro", "--force")

    assert acme("which", acme.sandbox.url_of("free")).code == 0
    assert f'- "{acme.sandbox.url_of("pro")}"' in (acme.home / DROP_IN).read_text()


def test_signature_verification_is_set_kept_and_undone(acme: Shell) -> None:
    acme("config", "--enable-signature-verification", "--force")
    assert "extra_safety_checks: true" in (acme.home / DROP_IN).read_text()

    acme("config", "--force")
    assert "extra_safety_checks: true" in (acme.home / DROP_IN).read_text()

    acme("config", "--undo", "--force")
    assert "extra_safety_checks" not in (acme.home / DROP_IN).read_text()


def test_without_a_terminal_it_wants_a_yes_and_shows_the_file(acme: Shell) -> None:
    before = acme.files()

    ran = acme("config")

    assert ran.code == 2
    assert "--yes" in ran.line
    assert "default_channels: #!final" in ran.err
    assert acme.files() == before
    assert acme("config", "--yes").code == 0


def test_without_a_token_there_is_nothing_to_configure(shell: Shell) -> None:
    before = shell.files()

    ran = shell("config", "--force")

    assert ran.code == 1
    assert ran.line.endswith("Run: conda-token-plugin install")
    assert set(shell.files()) == set(before)


def test_of_several_tokens_the_one_that_opens_the_shared_channels_is_meant(acme: Shell) -> None:
    acme("install", "--org", "globex", "--yes")

    acme("config", "--force")

    tokens = {one["organization"]: one for one in acme("list", "--json").json}
    assert tokens["acme"].get("default_channels")
    assert not tokens["globex"].get("default_channels")


def test_an_organization_without_a_token_is_named(acme: Shell) -> None:
    ran = acme("config", "--org", "hooli", "--force")

    assert ran.code == 1
    assert "hooli" in ran.line


def test_json_has_the_path_and_the_content(acme: Shell) -> None:
    found = acme("config", "--dry-run", "--json").json

    assert found["path"] == str(acme.home / DROP_IN)
    assert "default_channels" in found["content"]


def test_token_in_a_variable_is_configured_and_its_secret_is_not_stored(shell: Shell) -> None:
    token = shell.issued("acme", "")
    shell.set("ANACONDA_REPO_TOKEN", token.value)
    ran = shell("config", "--force")
    assert ran.code == 0, ran.err
    written = Settings().condarc.read_text()
    assert f"{shell.sandbox.repo}main" in written
    assert "default_channels" in written
    assert token.value.encode() not in b"".join(shell.files().values())

    shell.unset("ANACONDA_REPO_TOKEN")
    assert shell("install", "--org", "globex", "--yes").code == 0  # it writes the drop-in again
    assert "default_channels" in Settings().condarc.read_text()
    assert shell("config", "--undo", "--force").code == 0
    assert "default_channels" not in Settings().condarc.read_text()


def test_token_of_one_organization_in_a_variable_is_not_used_for_shared_channels(
    shell: Shell,
) -> None:
    shell.set("ANACONDA_REPO_TOKEN_ACME", shell.issued("acme", "").value)
    ran = shell("config", "--force")
    assert ran.code == 2
    assert "does not cover" in ran.line
    assert not Settings().condarc.exists()


def test_install_sets_default_channels_for_a_token_in_a_variable(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN", shell.issued("acme", "").value)
    ran = shell("install", "--org", "acme", "--set-default-channels", "--yes")
    assert ran.code == 0, ran.err
    assert f"{shell.sandbox.repo}r" in Settings().condarc.read_text()
    assert not any(one.method == "PUT" for one in shell.sandbox.requests)

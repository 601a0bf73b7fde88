"""`config`: default channels and added channels, shown, written and undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import API_KEY, Settings

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

SHARED = ("main", "r", "msys2")


def test_config_dry_run_shows_the_file_and_writes_nothing(acme: Shell) -> None:
    with acme.unchanged():
        ran = acme("config", "--dry-run").well()
        assert "default_channels: #!final" in ran.out
    acme("config", "--force")
    assert acme.dropin == ran.out


def test_default_channels_are_set_and_undone(acme: Shell) -> None:
    before = acme.dropin

    assert acme("config", "--force").code == 0

    text = acme.dropin
    assert [name for name in SHARED if f'- "{acme.sandbox.url_of(name)}"' in text] == list(SHARED)
    assert acme("config", "--undo", "--force").code == 0
    assert acme.dropin == before


def test_channels_of_the_organization_are_added_as_channels(acme: Shell) -> None:
    url = acme.sandbox.url_of("acme", "main")

    acme("config", "-c", f"{url}/", "--force")
    acme("config", "-c", acme.sandbox.url_of("acme", "private"), "--force")

    text = acme.dropin
    section = text.partition("\nchannels:\n")[2].partition("\ndefault_channels")[0]
    private = acme.sandbox.url_of("acme", "private")
    own = [f'  - "{one}" #!top' for one in (url, private)]
    assert section.splitlines() == [*own, "  - defaults #!top"]


def test_channel_that_no_token_covers_is_refused(acme: Shell) -> None:
    with acme.unchanged():
        acme("config", "-c", acme.sandbox.url_of("globex", "main"), "--force").failed(
            2, "No token covers"
        )


def test_archive_channels_are_added_to_the_scope_of_the_token(acme: Shell) -> None:
    acme("config", "--include-archive-channels", "free", "pro", "--force")

    assert acme("which", acme.sandbox.url_of("free")).code == 0
    assert f'- "{acme.sandbox.url_of("pro")}"' in acme.dropin


def test_signature_verification_is_set_kept_and_undone(acme: Shell) -> None:
    site = acme.sandbox.world.current("acme")
    assert site is not None
    acme("set", "--no-set-default-channels", "--no-validate", site.value)
    acme("config", "--org", "acme", "--enable-signature-verification", "--force")
    assert "extra_safety_checks: true" in acme.dropin

    acme("config", "--org", "acme", "--force")
    assert "extra_safety_checks: true" in acme.dropin

    acme("config", "--undo", "--force")
    assert "extra_safety_checks" not in acme.dropin


def test_signature_verification_without_a_token_for_the_keys_is_refused(acme: Shell) -> None:
    with acme.unchanged():
        acme("config", "--enable-signature-verification", "--force").failed(
            2, "Signature verification would be off", "key_mgr.json without a token"
        )


def test_config_without_a_terminal_shows_the_file_and_needs_yes(acme: Shell) -> None:
    with acme.unchanged():
        ran = acme("config").failed(2, "--yes")
        assert "default_channels: #!final" in ran.err
    assert acme("config", "--yes").code == 0


def test_config_without_a_token_changes_nothing(shell: Shell) -> None:
    shell.unset(API_KEY)
    before = shell.files()

    ran = shell("config", "--force")

    assert ran.code == 1
    assert ran.line.endswith("Run: conda-token-plugin install")
    assert set(shell.files()) == set(before)


def test_config_uses_the_token_of_the_shared_channels(acme: Shell) -> None:
    acme.install("globex")

    acme("config", "--force")

    tokens = {one["organization"]: one for one in acme.held()}
    assert tokens["acme"].get("default_channels")
    assert not tokens["globex"].get("default_channels")


def test_config_names_an_organization_without_a_token(acme: Shell) -> None:
    acme("config", "--org", "hooli", "--force").failed(1, "hooli")


def test_config_json_has_the_path_and_the_content(acme: Shell) -> None:
    found = acme("config", "--dry-run", "--json").json

    assert found["path"] == str(Settings().condarc)
    assert "default_channels" in found["content"]


def test_defaults_is_added_where_no_channel_is_configured(acme: Shell) -> None:
    ran = acme("config", "--yes")

    assert "  - defaults #!top" in acme.dropin.splitlines()
    assert "conda's channels, in this order: defaults" in ran.err
    assert acme.sandbox.url_of("main") in ran.err
    acme("config", "--undo", "--yes")
    assert "defaults" not in acme.dropin


def test_default_channels_without_effect_are_reported_with_the_command(acme: Shell) -> None:
    (acme.home / ".condarc").write_text("channels: [conda-forge]\n")

    ran = acme("config", "--yes")

    assert "- defaults" not in acme.dropin
    assert "conda's channels, in this order: conda-forge\n" in ran.err
    assert "Run: conda config --append channels defaults" in ran.err


@pytest.mark.parametrize("command", [("config", "--force"), ("install", "--reissue")])
@pytest.mark.parametrize(("answer", "added"), [("y", True), ("n", False)])
def test_user_is_asked_whether_to_add_defaults_to_other_channels(
    acme: Shell, command: tuple[str, ...], answer: str, *, added: bool
) -> None:
    (acme.home / ".condarc").write_text("channels: [conda-forge]\n")
    extra = ("--set-default-channels",) if command[0] == "install" else ()

    terminal = acme.at_terminal(*command, "--org", "acme", *extra)
    terminal.wait_for("Add `defaults` before them? [y/N]")
    terminal.type(f"{answer}\n")

    assert terminal.finish() == 0
    assert ("  - defaults #!top" in acme.dropin) is added
    order = "defaults, conda-forge" if added else "conda-forge"
    assert f"in this order: {order}\r\n" in terminal.seen


def test_tokens_in_other_channels_are_not_shown(acme: Shell) -> None:
    (acme.home / ".condarc").write_text("channels: ['https://h.example/t/abc-123-def/x']\n")

    ran = acme("config", "--yes")

    assert "https://h.example/" in ran.err
    assert "abc-123-def" not in ran.err + ran.out


@pytest.mark.parametrize(
    "words",
    [
        ("install", "--org", "acme", "--reissue", "--add-channel", "http://[::1]:8000/x"),
        ("install", "-c", "http://[::1]:8000/x", "--token-env", "ANACONDA_AUTH_API_KEY"),
        ("config", "-c", "http://[::1]:8000/x", "--force"),
    ],
    ids=" ".join,
)
def test_channel_that_conda_cannot_read_is_refused_before_anything_changes(
    acme: Shell, words: tuple[str, ...]
) -> None:
    before, issued = acme.files(), acme.issued("acme").id
    acme.sandbox.requests.clear()

    acme(*words).failed(2, "[::1]")
    assert acme.files() == before
    assert acme.issued("acme").id == issued


def test_token_in_a_variable_is_configured_and_its_secret_is_not_stored(shell: Shell) -> None:
    token = shell.issued("acme", "")
    shell.set("ANACONDA_REPO_TOKEN", token.value)
    shell("config", "--force").well()
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
    shell.unset(API_KEY)
    shell.set("ANACONDA_REPO_TOKEN_ACME", shell.issued("acme", "").value)
    shell("config", "--force").failed(2, "does not cover")
    assert not Settings().condarc.exists()


def test_install_sets_default_channels_for_a_token_in_a_variable(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN", shell.issued("acme", "").value)
    shell("install", "--org", "acme", "--set-default-channels", "--yes").well()
    assert f"{shell.sandbox.repo}r" in Settings().condarc.read_text()
    assert "- defaults #!top" in Settings().condarc.read_text()
    assert not any(one.method == "PUT" for one in shell.sandbox.requests)


@pytest.mark.parametrize("variables", [{}, {"ANACONDA_REPO_TOKEN_ACME": "a" * 40}])
def test_api_key_is_configured_where_no_token_is_for_the_shared_channels(
    shell: Shell, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        shell.set(name, value)
    shell("config", "--force").well()
    written = Settings().condarc.read_text()
    assert f'"{shell.sandbox.repo}*", auth: conda-token-plugin' in written
    assert f'- "{shell.sandbox.url_of("msys2")}"' in written

    assert "will be deleted." in shell("config", "--undo", "--force").well().err
    assert not Settings().condarc.exists()


def test_undo_where_nothing_was_configured_asks_nothing(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN_ACME", "a" * 40)
    with shell.unchanged():
        ran = shell("config", "--undo").well()
    assert "Nothing was configured" in ran.err

"""`remove`: it deletes a token with its configuration, and keeps those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import StoreUnusable
from conda_token_plugin.store.vaults import FileVault

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


def organizations(shell: Shell) -> list[str]:
    return [one["organization"] for one in shell.held()]


def test_remove_of_the_last_token_deletes_the_drop_in(shell: Shell) -> None:
    before = shell.files()
    shell.install("acme")
    assert shell("remove", "acme").code == 0
    assert not (shell.home / ".conda").exists()
    assert shell.held() == []
    assert {name for name in shell.files() if "conda-token-plugin" not in name} == set(before)


def test_remove_leaves_no_secret_on_disk(acme: Shell) -> None:
    value = acme.issued("acme").value
    assert value in b"".join(acme.files().values()).decode()
    acme("remove", "acme")
    assert value not in b"".join(acme.files().values()).decode()


def test_remove_keeps_the_token_and_configuration_of_another_organization(two: Shell) -> None:
    assert two("remove", "acme").code == 0
    text = two.dropin
    assert text
    assert two("which", "globex/main", "--json").json["organization"] == "globex"
    assert two("which", "acme/main", "--json").json["kind"] == "api-key"
    assert [held["organization"] for held in two.held()] == ["globex"]


def test_remove_all_removes_all_and_accepts_an_empty_store(two: Shell) -> None:
    assert len(two("remove", "--all", "--json").json["removed"]) == 2
    again = two("remove", "--all").well()
    assert "No token is stored" in again.err


def test_remove_of_an_unknown_organization_names_the_stored_ones(acme: Shell) -> None:
    with acme.unchanged():
        acme("remove", "hooli").failed(1, "hooli", "acme")


def test_remove_with_one_unknown_name_removes_nothing(acme: Shell) -> None:
    with acme.unchanged():
        assert acme("remove", "acme", "hooli").code == 1


def test_remove_names_the_variable_that_supplies_the_token(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN_HOOLI", "t" * 20)
    shell("remove", "hooli").failed(2, "ANACONDA_REPO_TOKEN_HOOLI")


def test_remove_reports_what_could_not_be_deleted(
    acme: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FileVault.delete

    def delete(self: FileVault, entry: str) -> None:
        if entry != ".new":
            raise StoreUnusable(self.folder.path, reason="Input/output error")
        real(self, entry)

    monkeypatch.setattr(FileVault, "delete", delete)
    ran = acme("remove", "acme").well()
    assert "A later command deletes the removed secret." in ran.err


def test_remove_names_a_variable_that_still_supplies_a_token(acme: Shell) -> None:
    acme.set("ANACONDA_REPO_TOKEN_ACME", "t" * 20)
    ran = acme("remove", "acme").well()
    assert ran.err.endswith("ANACONDA_REPO_TOKEN_ACME still supplies a token for acme.\n")


def test_remove_without_a_name_is_an_error_if_several_are_stored(two: Shell) -> None:
    assert two("remove").code == 2
    assert two("remove", "acme", "--all").code == 2
    assert len(two.held()) == 2


def test_remove_never_changes_the_condarc_of_the_user(shell: Shell) -> None:
    condarc = shell.home / ".condarc"
    condarc.write_text("# mine\nchannels: [conda-forge] # a comment\n")
    shell.install("acme", "--set-default-channels")
    shell("remove", "acme")
    assert condarc.read_text() == "# mine\nchannels: [conda-forge] # a comment\n"


def test_shared_channels_are_given_to_another_token_when_theirs_is_removed(two: Shell) -> None:
    assert two("which", "main", "--json").json["organization"] == "acme"
    ran = two("remove", "acme")
    assert "of globex." in ran.err
    assert two("which", "main", "--json").json["organization"] == "globex"


def test_remove_says_that_the_token_is_in_the_store_of_the_machine(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDA_TOKEN_SYSTEM_HOME", str(shell.home / "machine"))
    monkeypatch.setenv("CONDA_TOKEN_SYSTEM_CONDARC", str(shell.home / "machine.yml"))
    site = shell.issued("acme", "")
    shell.set("GIVEN", site.value)
    words = ("--token-env", "GIVEN", "--system", "--group", "root", "--yes")
    assert shell("install", "--site", "--org", "acme", *words).code == 0
    shell("remove", "acme").failed(
        1, "is in the store of this machine, not in yours", "remove --system acme"
    )


def test_remove_without_anything_stored_succeeds_and_says_so(shell: Shell) -> None:
    ran = shell("remove").well()
    assert ran.err == "No token is stored.\n"


@pytest.mark.parametrize("words", [["remove", "acme"], ["remove", "--org", "acme", "--system"]])
def test_remove_of_a_named_organization_without_anything_stored_is_an_error(
    shell: Shell, words: list[str]
) -> None:
    with shell.unchanged():
        shell(*words).failed(
            1, "No token is stored for the organization 'acme' (no tokens are stored)."
        )


@pytest.mark.parametrize(("answer", "kept", "code"), [("n", True, 8), ("y", False, 0)])
def test_remove_of_the_only_token_asks_at_a_terminal_and_no_is_not_an_error(
    acme: Shell, answer: str, code: int, *, kept: bool
) -> None:
    terminal = acme.at_terminal("remove")
    terminal.wait_for("of acme? [y/N]")
    terminal.type(f"{answer}\n")
    assert terminal.finish() == code
    assert bool(acme.held()) is kept
    assert ("Kept. Nothing was changed." in terminal.seen) is kept
    assert "error:" not in terminal.seen


def test_remove_of_an_unknown_organization_does_not_suggest_to_install_one(acme: Shell) -> None:
    assert acme("remove", "nosuch").line.endswith("See: conda-token-plugin list")


@pytest.mark.parametrize("option", ["-o", "--org"])
def test_uninstall_accepts_the_organization_as_an_option(two: Shell, option: str) -> None:
    two("uninstall", option, "acme").well()
    assert organizations(two) == ["globex"]


@pytest.mark.parametrize("option", ["-a", "--all"])
def test_uninstall_all_removes_all_tokens(two: Shell, option: str) -> None:
    two("uninstall", option).well()
    assert organizations(two) == []


@pytest.mark.parametrize("words", [[], ["--env"], ["-e"], ["-f", "/nowhere/condarc"]])
def test_remove_without_a_name_means_the_only_token(two: Shell, words: list[str]) -> None:
    two("remove", *words).failed(2)
    assert organizations(two) == ["acme", "globex"]
    two("remove", "globex")
    two("remove", *words).well()
    assert organizations(two) == []

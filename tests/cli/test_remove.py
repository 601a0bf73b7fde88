"""`remove`: it deletes a token with its configuration, and keeps those of others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.errors.store import StoreUnusable
from conda_token_plugin.store.vaults import FileVault
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

DROP_IN = ".conda/condarc.d/conda-token-plugin.yml"


def test_remove_of_the_last_token_deletes_the_drop_in(shell: Shell) -> None:
    before = shell.files()
    shell("install", "--org", "acme", "--yes")
    assert shell("remove", "acme").code == 0
    assert not (shell.home / ".conda").exists()
    assert shell("list", "--json").json == []
    assert {name for name in shell.files() if "conda-token-plugin" not in name} == set(before)


def test_remove_leaves_no_secret_on_disk(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    value = shell.issued("acme").value
    assert value in b"".join(shell.files().values()).decode()
    shell("remove", "acme")
    assert value not in b"".join(shell.files().values()).decode()


def test_remove_keeps_the_token_and_configuration_of_another_organization(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    shell("install", "--org", "globex", "--yes")
    assert shell("remove", "acme").code == 0
    text = (shell.home / DROP_IN).read_text()
    assert text
    assert shell("which", "globex/main").code == 0
    assert shell("which", "acme/main").code == 1
    assert [held["organization"] for held in shell("list", "--json").json] == ["globex"]


def test_remove_all_removes_all_and_accepts_an_empty_store(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    shell("install", "--org", "globex", "--yes")
    assert len(shell("remove", "--all", "--json").json["removed"]) == 2
    again = shell("remove", "--all")
    assert again.code == 0
    assert "No token is stored" in again.err


def test_remove_of_an_unknown_organization_names_the_stored_ones(
    shell: Shell,
) -> None:
    shell("install", "--org", "acme", "--yes")
    before = shell.files()
    ran = shell("remove", "hooli")
    assert ran.code == 1
    assert "hooli" in ran.line
    assert "acme" in ran.line
    assert shell.files() == before


def test_remove_with_one_unknown_name_removes_nothing(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    before = shell.files()
    assert shell("remove", "acme", "hooli").code == 1
    assert shell.files() == before


def test_remove_names_the_variable_that_supplies_the_token(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN_HOOLI", "t" * 20)
    ran = shell("remove", "hooli")
    assert ran.code == 2
    assert "ANACONDA_REPO_TOKEN_HOOLI" in ran.line


def test_remove_reports_what_could_not_be_deleted(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell("install", "--org", "acme", "--yes")
    real = FileVault.delete

    def delete(self: FileVault, entry: str) -> None:
        if entry != ".new":
            raise StoreUnusable(self.folder.path, reason="Input/output error")
        real(self, entry)

    monkeypatch.setattr(FileVault, "delete", delete)
    ran = shell("remove", "acme")
    assert ran.code == 0
    assert "What was removed is deleted there later." in ran.err


def test_remove_names_a_variable_that_still_supplies_a_token(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    shell.set("ANACONDA_REPO_TOKEN_ACME", "t" * 20)
    ran = shell("remove", "acme")
    assert ran.code == 0
    assert ran.err.endswith("ANACONDA_REPO_TOKEN_ACME still supplies a token for acme.\n")


def test_remove_without_a_name_is_an_error_if_several_are_stored(shell: Shell) -> None:
    for organization in ("acme", "globex"):
        shell("install", "--org", organization, "--yes")
    assert shell("remove").code == 2
    assert shell("remove", "acme", "--all").code == 2
    assert len(shell("list", "--json").json) == 2


def test_remove_never_changes_the_condarc_of_the_user(shell: Shell) -> None:
    condarc = shell.home / ".condarc"
    condarc.write_text("# mine\nchannels: [conda-forge] # a comment\n")
    shell("install", "--org", "acme", "--yes", "--set-default-channels")
    shell("remove", "acme")
    assert condarc.read_text() == "# mine\nchannels: [conda-forge] # a comment\n"


def test_shared_channels_are_given_to_another_token_when_theirs_is_removed(shell: Shell) -> None:
    for organization in ("acme", "globex"):
        shell("install", "--org", organization, "--yes")
    assert shell("which", "main", "--json").json["organization"] == "acme"
    ran = shell("remove", "acme")
    assert "of globex." in ran.err
    assert shell("which", "main", "--json").json["organization"] == "globex"


def test_remove_says_that_the_token_is_in_the_store_of_the_machine(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDA_TOKEN_SYSTEM_HOME", str(shell.home / "machine"))
    monkeypatch.setenv("CONDA_TOKEN_SYSTEM_CONDARC", str(shell.home / "machine.yml"))
    site = shell.issued("acme", "")
    shell.set("GIVEN", site.value)
    words = ("--token-env", "GIVEN", "--system", "--group", "root", "--yes")
    assert shell("install", "--site", "--org", "acme", *words).code == 0
    ran = shell("remove", "acme")
    assert ran.code == 1
    assert "is in the store of this machine, not in yours" in ran.line
    assert "remove --system acme" in ran.line


def test_remove_without_anything_stored_succeeds_and_says_so(shell: Shell) -> None:
    ran = shell("remove")
    assert ran.code == 0
    assert ran.err == "No token is stored.\n"


@pytest.mark.parametrize("words", [["remove", "acme"], ["remove", "--org", "acme", "--system"]])
def test_remove_of_a_named_organization_without_anything_stored_is_an_error(
    shell: Shell, words: list[str]
) -> None:
    before = shell.files()
    ran = shell(*words)
    assert ran.code == 1
    assert "No token is stored for the organization 'acme' (no tokens are stored)." in ran.line
    assert shell.files() == before


@pytest.mark.parametrize(("answer", "kept", "code"), [("n", True, 8), ("y", False, 0)])
def test_remove_of_the_only_token_asks_at_a_terminal_unless_it_is_named(
    shell: Shell, answer: str, code: int, *, kept: bool
) -> None:
    shell("install", "--org", "acme", "--yes")
    terminal = Terminal("remove", environment=os.environ)
    terminal.wait_for("of acme? [y/N]")
    terminal.type(f"{answer}\n")
    assert terminal.finish() == code
    assert bool(shell("list", "--json").json) is kept


def test_remove_of_an_unknown_organization_does_not_suggest_to_install_one(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    assert shell("remove", "nosuch").line.endswith("See: conda-token-plugin list")


def test_answer_no_is_a_message_and_not_an_error(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    terminal = Terminal("remove", environment=os.environ)
    terminal.wait_for("[y/N]")
    terminal.type("n\n")
    assert terminal.finish() == 8
    assert "Kept. Nothing was changed." in terminal.seen
    assert "error:" not in terminal.seen
    assert len(shell("list", "--json").json) == 1

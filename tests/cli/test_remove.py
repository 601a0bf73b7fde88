"""`remove`: nothing of a token is left, and of others everything is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.store import StoreUnusable
from conda_token_plugin.store.vaults import FileVault

if TYPE_CHECKING:
    import pytest

    from tests.cli.conftest import Shell

DROP_IN = ".conda/condarc.d/conda-token-plugin.yml"


def test_the_last_token_takes_the_configuration_with_it(shell: Shell) -> None:
    before = shell.files()
    shell("install", "--org", "acme", "--yes")
    assert shell("remove", "acme").code == 0
    assert not (shell.home / ".conda").exists()
    assert shell("list", "--json").json == []
    assert {name for name in shell.files() if "conda-token-plugin" not in name} == set(before)


def test_no_secret_is_left_on_disk(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    value = shell.issued("acme").value
    assert value in b"".join(shell.files().values()).decode()
    shell("remove", "acme")
    assert value not in b"".join(shell.files().values()).decode()


def test_the_other_organization_keeps_its_token_and_its_configuration(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    shell("install", "--org", "globex", "--yes")
    assert shell("remove", "acme").code == 0
    text = (shell.home / DROP_IN).read_text()
    assert text
    assert shell("which", "globex/main").code == 0
    assert shell("which", "acme/main").code == 1
    assert [held["organization"] for held in shell("list", "--json").json] == ["globex"]


def test_all_forgets_all_and_is_content_with_nothing(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    shell("install", "--org", "globex", "--yes")
    assert len(shell("remove", "--all", "--json").json["removed"]) == 2
    again = shell("remove", "--all")
    assert again.code == 0
    assert "No token is stored" in again.err


def test_an_organization_without_a_token_is_an_error_that_names_those_with_one(
    shell: Shell,
) -> None:
    shell("install", "--org", "acme", "--yes")
    before = shell.files()
    ran = shell("remove", "hooli")
    assert ran.code == 1
    assert "hooli" in ran.line
    assert "acme" in ran.line
    assert shell.files() == before


def test_one_wrong_name_among_right_ones_removes_nothing(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    before = shell.files()
    assert shell("remove", "acme", "hooli").code == 1
    assert shell.files() == before


def test_what_the_environment_supplies_is_not_removed_but_named(shell: Shell) -> None:
    shell.set("ANACONDA_REPO_TOKEN_HOOLI", "t" * 20)
    ran = shell("remove", "hooli")
    assert ran.code == 2
    assert "ANACONDA_REPO_TOKEN_HOOLI" in ran.line


def test_what_is_left_undone_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_what_goes_on_being_sent_is_named(shell: Shell) -> None:
    shell("install", "--org", "acme", "--yes")
    shell.set("ANACONDA_REPO_TOKEN_ACME", "t" * 20)
    ran = shell("remove", "acme")
    assert ran.code == 0
    assert ran.err.endswith("ANACONDA_REPO_TOKEN_ACME still supplies a token for acme.\n")


def test_nothing_named_is_an_error_and_not_everything(shell: Shell) -> None:
    for organization in ("acme", "globex"):
        shell("install", "--org", organization, "--yes")
    assert shell("remove").code == 2
    assert shell("remove", "acme", "--all").code == 2
    assert len(shell("list", "--json").json) == 2


def test_a_condarc_of_the_user_is_never_touched(shell: Shell) -> None:
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

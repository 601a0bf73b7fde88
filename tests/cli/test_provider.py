"""`provider`: add, list, remove and test the commands that supply credentials."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.provider import Provider
from tests.support.providers import printing, program, response

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Shell
    from tests.support.machine import Ran
    from tests.support.providers import Program

SCOPE = "https://repo.example/acme"
NAME = "repo.example/acme"
VALUE = "MadeUpToken0123456789"


@pytest.fixture
def made(tmp_path: Path) -> Program:
    """Return a program that supplies a credential."""
    return printing(tmp_path, response(f"Bearer {VALUE}", expires="2099-01-31T12:00:00Z"))


def add(shell: Shell, *words: str, command: tuple[str, ...], scope: str = SCOPE) -> Ran:
    return shell("provider", "add", "--scope", scope, *words, "--", *command)


def stored() -> tuple[Provider, ...]:
    return user_store(Settings()).providers()


def dropin() -> str:
    path = Settings().condarc
    return path.read_text() if path.exists() else ""


def test_add_stores_the_command_and_has_conda_ask_for_its_scope(
    shell: Shell, made: Program
) -> None:
    ran = add(shell, "--timeout", "2.5", command=(*made.command, "--flag", "a b")).well()
    assert stored() == (Provider(NAME, SCOPE, (*made.command, "--flag", "a b"), seconds=2.5),)
    assert f'"{SCOPE}/*"' in dropin()
    assert f"conda-token-plugin provider test {NAME}" in ran.err
    assert made.calls == []


def test_add_stores_the_absolute_path_of_the_program(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    shutil.copy("/bin/sh", folder / "vault-helper")
    shell.set("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    add(shell, command=("vault-helper", "read"))
    assert stored()[0].command == (str(folder / "vault-helper"), "read")


def test_add_takes_a_scheme_and_a_user_name_for_a_printed_secret(
    shell: Shell, made: Program
) -> None:
    words = ("--print", "token", "--send-as", "basic", "--username", "ann", "--name", "mine")
    assert add(shell, *words, command=made.command).code == 0
    assert stored()[0] == Provider("mine", SCOPE, made.command, "token", "basic", "ann")


@pytest.mark.parametrize(
    ("words", "command", "message"),
    [
        ((), (), "No command was given"),
        ((), ("no-such-program",), "The program 'no-such-program' was not found"),
        ((), ("true", "Aa0" * 16), "An argument of the command looks like a token"),
        (("--name", "two words"), ("true",), "is not a name for a provider"),
        (("--name", "-x"), ("true",), "Argument --name"),
        (("--send-as", "bearer"), ("true",), "contains the whole header"),
        (("--print", "token", "--send-as", "basic"), ("true",), "go together"),
        (("--print", "token", "--username", "ann"), ("true",), "go together"),
        (("--print", "token", "--send-as", "header"), ("true",), "invalid choice"),
        (("--print", "password"), ("true",), "invalid choice"),
        (("--timeout", "0"), ("true",), "is not a number of seconds"),
        (("--timeout", "nan"), ("true",), "is not a number of seconds"),
        (("--timeout", "1e9"), ("true",), "is not a number of seconds"),
    ],
    ids=str,
)
def test_add_refuses_what_cannot_work_and_stores_nothing(
    shell: Shell, words: tuple[str, ...], command: tuple[str, ...], message: str
) -> None:
    add(shell, *words, command=command).failed(2, message)
    assert stored() == ()
    assert dropin() == ""


@pytest.mark.parametrize(
    "scope",
    [
        *("http://repo.example/acme", "https://ann:pw@repo.example", "https://h/t/abcdef/x"),
        *("https://[::1]/x", "repo.example/acme", "https://h/../x", ""),
    ],
)
def test_add_refuses_a_scope_that_no_credential_is_sent_to(
    shell: Shell, made: Program, scope: str
) -> None:
    ran = add(shell, command=made.command, scope=scope).failed(2)
    assert "pw" not in ran.err
    assert stored() == ()


@pytest.mark.parametrize(("name", "scope"), [(NAME, f"{SCOPE}/other"), ("other", SCOPE)])
def test_add_refuses_a_second_provider_of_the_name_or_scope(
    shell: Shell, made: Program, name: str, scope: str
) -> None:
    add(shell, command=made.command)
    add(shell, "--name", name, command=made.command, scope=scope).failed(
        2, f"provider remove {NAME}"
    )
    assert len(stored()) == 1


def test_list_shows_each_provider_and_runs_none(shell: Shell, made: Program) -> None:
    assert shell("provider", "list").code == 0
    add(shell, command=made.command)
    row = shell("provider", "list").out.splitlines()[1]
    assert row.split("\t") == [NAME, SCOPE, " ".join(made.command), "response", "10s", "you"]
    (value,) = shell("provider", "list", "--json").json
    assert (value["name"], value["scope"]) == (NAME, SCOPE)
    assert value["command"] == list(made.command)
    assert made.calls == []


def test_common_options_are_accepted_before_and_after_the_action(
    shell: Shell, made: Program
) -> None:
    add(shell, command=made.command)
    documents = [
        shell(*words).json
        for words in (
            ("provider", "list", "--json"),
            ("provider", "--json", "list"),
            ("--json", "provider", "list"),
        )
    ]
    assert documents[0] == documents[1] == documents[2]


def test_remove_forgets_the_provider_and_its_entry_for_conda(shell: Shell, made: Program) -> None:
    add(shell, command=made.command)
    shell("provider", "remove", NAME).well()
    assert stored() == ()
    assert dropin() == ""
    shell("provider", "remove", NAME).failed(1, "There is no provider")


def test_test_reports_each_provider(shell: Shell, made: Program, tmp_path: Path) -> None:
    add(shell, command=made.command)
    ran = shell("provider", "test").well()
    assert "supplies a credential until 2099-01-31 12:00:00 UTC" in ran.out
    bad = program(tmp_path, f"print({VALUE!r}); sys.exit(3)", name="bad", noise=VALUE)
    add(shell, "--name", "bad", command=bad.command, scope=f"{SCOPE}/bad")
    ran = shell("provider", "test")
    assert ran.code == 1
    assert "failed: the command exited with code 3" in ran.out
    assert VALUE not in ran.out + ran.err
    values = {one["name"]: one["works"] for one in shell("provider", "test", "--json").json}
    assert values == {NAME: True, "bad": False}


@pytest.mark.parametrize("word", [NAME, SCOPE, f"{SCOPE}/main/noarch/x.conda"])
def test_test_runs_only_the_provider_of_a_name_or_url(
    shell: Shell, made: Program, tmp_path: Path, word: str
) -> None:
    other = printing(tmp_path, "", name="other")
    add(shell, command=made.command)
    add(shell, "--name", "other", command=other.command, scope="https://repo.example/other")
    assert shell("provider", "test", word).code == 0
    assert other.calls == []


@pytest.mark.parametrize("word", ["nosuch", "https://other.example/x"])
def test_test_of_an_unknown_provider_fails(shell: Shell, word: str) -> None:
    shell("provider", "test", word).failed(1, "There is no provider")


def test_test_tells_what_is_not_sent(shell: Shell, tmp_path: Path) -> None:
    nothing = printing(tmp_path, "{}", name="nothing")
    more = '{"headers": {"Authorization": ["x"], "X-More": ["y"]}}'
    add(shell, "--name", "nothing", command=nothing.command)
    add(
        shell,
        *("--name", "more"),
        command=printing(tmp_path, more, name="more").command,
        scope=f"{SCOPE}/more",
    )
    ran = shell("provider", "test").well()
    assert "no credential is needed" in ran.out
    assert "headers that are not sent: 1" in ran.out


def test_provider_of_the_machine_is_in_its_store_and_its_drop_in(
    shell: Shell, made: Program, tmp_path: Path
) -> None:
    shell.set("CONDA_TOKEN_SYSTEM_HOME", str(tmp_path / "machine"))
    shell.set("CONDA_TOKEN_SYSTEM_CONDARC", str(tmp_path / "machine.yml"))
    assert add(shell, "--system", command=made.command).code == 0
    assert stored() == ()
    assert SCOPE in (tmp_path / "machine.yml").read_text()
    assert [one["for"] for one in shell("provider", "list", "--json").json] == ["this machine"]
    assert "provider repo.example/acme of this machine" in shell("which", SCOPE).out
    assert shell("provider", "remove", NAME).code == 1
    assert shell("provider", "remove", "--system", NAME).code == 0
    assert not (tmp_path / "machine.yml").exists()


@pytest.mark.parametrize("verb", ["which", "list", "status"])
def test_reading_command_names_the_provider_as_the_source(
    shell: Shell, tmp_path: Path, verb: str
) -> None:
    token = shell.sandbox.world.issue("acme", "ada").value
    made = printing(tmp_path, f"{token}\n")
    scope = f"{shell.sandbox.repo}acme"
    add(shell, "--name", "vault", "--print", "token", command=made.command, scope=scope)
    ran = shell(verb, *([f"{scope}/main"] if verb == "which" else []))
    assert "provider vault" in ran.out
    assert token not in ran.out + ran.err
    assert len(made.calls) == (verb == "status")


def test_token_and_provider_of_the_same_name_and_scope_have_different_keys(
    shell: Shell, made: Program
) -> None:
    scope = f"{shell.sandbox.repo}acme"
    shell.install("acme")
    add(shell, "--name", "acme", command=made.command, scope=scope)
    keys = [token.key for token in user_store(Settings()).credentials()]
    assert len(keys) == len(set(keys)) == 2


def test_which_tells_that_the_provider_returns_the_header(shell: Shell, made: Program) -> None:
    add(shell, command=made.command)
    assert "Authorization, as the provider returns it" in shell("which", SCOPE).out


def test_status_shows_whether_the_credential_works(shell: Shell, tmp_path: Path) -> None:
    token = shell.sandbox.world.issue("acme", "ada").value
    scope = f"{shell.sandbox.repo}acme"
    made = printing(tmp_path, response(f"token {token}"))
    add(shell, "--name", "vault", command=made.command, scope=scope)
    assert "works (downloaded package" in shell("status", "vault").out
    shell("provider", "remove", "vault")
    bad = program(tmp_path, "sys.exit(1)", name="bad")
    add(shell, "--name", "vault", command=bad.command, scope=scope)
    assert "The provider vault failed" in shell("status", "vault").out


def test_provider_stays_in_the_drop_in_when_tokens_come_and_go(shell: Shell, made: Program) -> None:
    add(shell, command=made.command)
    steps = (
        ("install", "--org", "acme", "--yes", "--set-default-channels"),
        ("sync",),
        ("config", "--undo", "--force"),
        ("remove", "acme"),
    )
    for words in steps:
        assert shell(*words).code == 0, words
        assert SCOPE in dropin(), words


@pytest.mark.parametrize("target", ["rattler", "dotenv"])
def test_credential_of_a_provider_is_not_exported(acme: Shell, made: Program, target: str) -> None:
    add(acme, "--name", "vault", command=made.command, scope=f"{acme.sandbox.repo}acme")
    acme("export", target, "--org", "acme", "--yes").failed(2, "provider vault")
    assert made.calls == []


def test_help_of_an_action_names_its_options(shell: Shell) -> None:
    ran = shell("provider", "add", "--help").well()
    for word in ("--scope URL", "--print", "--timeout S", "-- COMMAND [ARG ...]"):
        assert word in ran.out
    assert sys.executable not in ran.out


@pytest.mark.parametrize("below", ["", "acme", "acme/main"])
def test_install_says_that_a_provider_has_precedence_over_the_new_token(
    shell: Shell, made: Program, below: str
) -> None:
    scope = f"{shell.sandbox.repo}{below}".rstrip("/")
    add(shell, "--name", "vault", command=made.command, scope=scope).well()

    ran = shell("install", "--org", "acme", "--yes").well()

    assert (
        "warning: The provider vault has precedence over this token, which is not sent to "
        f"{scope}. To use the token: conda-token-plugin provider remove vault"
    ) in ran.err
    assert made.calls == []
    found = shell("which", f"{scope}/noarch/repodata.json", "--json").json
    assert found["organization"] == "vault"


def test_given_token_is_stored_with_a_warning_about_the_provider(
    shell: Shell, made: Program
) -> None:
    add(shell, "--name", "vault", command=made.command).well()
    shell.set("GIVEN", VALUE)
    ran = shell("install", "--site", "-c", SCOPE, "--token-env", "GIVEN", "--no-validate").well()
    assert "The provider vault has precedence over this token" in ran.err


def test_install_does_not_mention_a_provider_of_other_channels(shell: Shell, made: Program) -> None:
    add(shell, command=made.command, scope=f"{shell.sandbox.repo}acme-evil").well()
    assert "provider" not in shell("install", "--org", "acme", "--yes").well().err

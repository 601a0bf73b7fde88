"""The words of the command line: commands, options, and errors in them."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import PIPE, Popen, run
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli import main
from conda_token_plugin.cli.parser import expanded, parsed

if TYPE_CHECKING:
    from tests.cli.conftest import Shell
    from tests.support.machine import Machine


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["instal"], "Did you mean: conda-token-plugin install"),
        (["xyzzy"], "--help"),
        (["list", "--nope"], "--nope"),
        (["which"], "url"),
        (["install", "--store", "vault"], "keyring"),
        (["--nope"], "--nope"),
        (["set", "--user", "joe"], "Did you mean: --username"),
        (["set", "--user=joe"], "Did you mean: --username"),
        (["set", "--usrename", "joe"], "Did you mean: --username"),
        (["provider", "list", "--syst"], "Did you mean: --system"),
        (["list", "--js"], "Did you mean: --json"),
    ],
)
def test_unknown_argument_is_one_line_with_exit_code_2(
    shell: Shell, words: list[str], expected: str
) -> None:
    ran = shell(*words).failed(2)
    assert expected.lower() in ran.line.lower()
    assert ran.out == ""


def test_no_arguments_show_the_help(shell: Shell) -> None:
    ran = shell().well()
    assert "install" in ran.out


def test_help_and_errors_name_the_program_that_was_called(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for prog in ("conda token", "conda-token-plugin"):
        assert main(["install", "--help"], prog=prog) == 0
        assert f"usage: {prog} install" in capsys.readouterr().out
        assert main(["lst"], prog=prog) == 2
        assert f"{prog} list" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version_option_prints_the_version_of_the_package(shell: Shell, option: str) -> None:
    from conda_token_plugin import __version__

    assert shell(option).out.strip() == f"conda-token-plugin {__version__}"


@pytest.mark.parametrize("buffered", [True, False])
def test_closed_pipe_is_not_an_error(monkeypatch: pytest.MonkeyPatch, *, buffered: bool) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", "" if buffered else "1")
    command = [sys.executable, "-m", "conda_token_plugin", "--help"]
    with Popen(command, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def list_into(target: str) -> tuple[int, str]:
    """Run `list` with its output redirected in a shell; exit code and what came on stderr."""
    command = f'"{sys.executable}" -m conda_token_plugin list {target}'
    done = run(["sh", "-c", command], capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("buffered", ["", "1"])
def test_unwritable_output_is_one_line(shell: Shell, buffered: str) -> None:
    shell.set("PYTHONUNBUFFERED", buffered)
    shell.install("acme")
    code, said = list_into("> /dev/full")
    assert code == 1
    assert said.startswith("error: The output could not be written: No space left on device.")
    assert said.count("\n") == 1
    assert list_into("2> /dev/full > /dev/full") == (1, "")


@pytest.mark.usefixtures("acme")
def test_closed_output_is_not_an_error() -> None:
    assert list_into(">&-") == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["help"], ["--help"]),
        (["help", "list"], ["list", "--help"]),
        (["--json", "list"], ["list", "--json"]),
        (["-q", "-y", "remove", "acme"], ["remove", "-q", "-y", "acme"]),
        (["--yes", "reissue", "--org", "acme"], ["install", "--yes", "--reissue", "--org", "acme"]),
        ([], ["--help"]),
        (["-q"], ["--help"]),
        (["--json", "help"], ["--help", "--json"]),
    ],
)
def test_shorthands_are_replaced_and_common_options_follow_the_command(
    words: list[str], expected: list[str]
) -> None:
    assert expanded(words) == expected


@pytest.mark.parametrize(
    ("alias", "command"), [("rm", "remove"), ("uninstall", "remove"), ("refresh", "sync")]
)
def test_alias_runs_its_command(alias: str, command: str) -> None:
    assert parsed([alias], prog="conda token").verb == command


@pytest.mark.parametrize("words", [("--json",), ("-q", "--json"), ("--at", "x", "--json")])
def test_json_without_a_command_is_an_error_as_a_document(
    shell: Shell, words: tuple[str, ...]
) -> None:
    error = shell(*words).failed(2).json["error"]
    assert (error["what"], error["kind"]) == ("--json needs a command.", "BadInput")


def test_json_before_the_command_prints_one_document(shell: Shell) -> None:
    assert [one["kind"] for one in shell("--json", "list").json] == ["api-key"]


@pytest.mark.conda
@pytest.mark.parametrize(
    "words", [("--json", "token", "list"), ("token", "--json", "list"), ("token", "list", "--json")]
)
def test_json_of_conda_is_used_wherever_it_is(machine: Machine, words: tuple[str, ...]) -> None:
    assert machine.conda(*words).well().json == []


def test_revoke_says_what_revokes_and_that_remove_does_not(shell: Shell) -> None:
    shell("revoke", "acme").failed(
        2, "conda-token-plugin reissue", "on this machine only: conda-token-plugin remove"
    )


def test_error_and_hint_are_on_lines_of_their_own(shell: Shell) -> None:
    error, hint = shell("lst").err.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint:  ")


ACTIONS = [
    ("provider", "add", "--scope", "https://repo.example/acme", "--", "helper"),
    ("provider", "list"),
    ("provider", "remove", "acme"),
    ("provider", "test"),
    ("helper", "get"),
    ("helper", "token", "https://repo.example/acme"),
]


@pytest.mark.parametrize("words", ACTIONS, ids=" ".join)
def test_options_of_every_command_are_accepted_before_an_action_and_after_it(
    words: tuple[str, ...],
) -> None:
    options = ("--json", "--quiet", "--yes", "--at", "main")
    verb, action, *rest = words

    before = parsed([verb, *options, action, *rest], prog="conda token")
    after = parsed([verb, action, *options, *rest], prog="conda token")

    assert before == after
    assert (after.json, after.quiet, after.yes, after.at) == (True, True, True, "main")

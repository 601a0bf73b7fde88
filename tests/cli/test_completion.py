"""Completion, asked of the shells themselves where they are installed."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from shutil import which
from typing import TYPE_CHECKING

import pytest

if sys.platform == "win32":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

import pty

from conda_token_plugin.cli.commands.completion import SHELLS
from conda_token_plugin.cli.registry import VERBS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Shell

PATIENCE = 30.0
NAMES = {verb.name for verb in VERBS}


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(which(name) is None, reason=f"there is no {name} here")


@pytest.fixture
def written(shell: Shell, tmp_path: Path) -> Callable[[str], Path]:
    """Write the script for a shell to a file."""

    def write(name: str) -> Path:
        ran = shell("completion", name)
        assert (ran.code, ran.err) == (0, "")
        path = tmp_path / "_conda-token-plugin"
        path.write_text(ran.out, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", SHELLS)
def test_completion_script_names_every_command(shell: Shell, name: str) -> None:
    script = shell("completion", name).out
    assert [verb for verb in NAMES if verb not in script] == []


def test_unknown_shell_is_refused_with_the_known_ones(shell: Shell) -> None:
    shell("completion", "nushell").failed(2, "powershell")


@needs("bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["conda-token-plugin", "ins"], {"install"}),
        (["conda-token-plugin", ""], NAMES),
        (["conda-token-plugin", "install", "--store", "key"], {"keyring"}),
        (["conda-token-plugin", "remove", "--al"], {"--all"}),
        (["conda-token-plugin", "export", "rattler", "mi"], {"micromamba"}),
        (["conda-token-plugin", "import", "anaconda-"], {"anaconda-auth", "anaconda-client"}),
        (["conda", "token", "ins"], {"install"}),
        (["conda", "token", "install", "--store", "key"], {"keyring"}),
    ],
)
def test_bash_completes_commands_options_and_values(
    written: Callable[[str], Path], words: list[str], expected: set[str]
) -> None:
    asked = " ".join(f'"{word}"' for word in words)
    script = f"""
        source "{written("bash")}"
        COMP_WORDS=({asked}); COMP_CWORD={len(words) - 1}
        COMP_LINE="${{COMP_WORDS[*]}}"; COMP_POINT=${{#COMP_LINE}}
        $(complete -p {words[0]} | sed 's/.*-F \\([^ ]*\\).*/\\1/') {words[0]}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    of_every_program = {"-h", "--help", "-V", "--version"}
    assert set(output("bash", "--norc", "-c", script)) - of_every_program == expected


@needs("fish")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("conda-token-plugin ins", {"install"}),
        ("conda-token-plugin install --store key", {"keyring"}),
        ("conda-token-plugin remove --al", {"--all"}),
        ("conda-token-plugin export git", {"github-actions"}),
        ("conda token ins", {"install"}),
        ("conda token remove --al", {"--all"}),
    ],
)
def test_fish_completes_commands_options_and_values(
    written: Callable[[str], Path], line: str, expected: set[str]
) -> None:
    script = f'source "{written("fish")}"; complete -C "{line}"'
    found = {row.partition("\t")[0] for row in output("fish", "--no-config", "-c", script)}
    assert expected <= found


@pytest.fixture
def program(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store a token of acme and a provider, and put `conda-token-plugin` on the PATH."""
    shell.install("acme")
    add = ("provider", "add", "--scope", "https://host.example/conda", "--name", "vault")
    shell(*add, "--", sys.executable).well()
    path = tmp_path / "bin" / "conda-token-plugin"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m conda_token_plugin "$@"\n')
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")


@needs("bash")
@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["conda-token-plugin", "remove", "ac"], "acme"),
        (["conda-token-plugin", "install", "--org", "a"], "acme"),
        (["conda", "token", "status", "a"], "acme"),
        (["conda-token-plugin", "provider", "remove", "va"], "vault"),
        (["conda-token-plugin", "provider", "test", ""], "vault"),
        (["conda", "token", "provider", "remove", ""], "vault"),
    ],
)
def test_bash_completes_stored_organizations_and_names_of_providers(
    written: Callable[[str], Path], words: list[str], expected: str
) -> None:
    test_bash_completes_commands_options_and_values(written, words, {expected})


@needs("fish")
@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("conda-token-plugin remove ac", "acme"),
        ("conda token remove ac", "acme"),
        ("conda-token-plugin provider remove va", "vault"),
    ],
)
def test_fish_completes_stored_organizations_and_names_of_providers(
    written: Callable[[str], Path], line: str, expected: str
) -> None:
    test_fish_completes_commands_options_and_values(written, line, {expected})


@pytest.mark.usefixtures("program")
def test_words_are_the_stored_organizations_channels_or_providers(shell: Shell) -> None:
    assert shell("completion", "--words", "providers").out == "vault\n"
    assert shell("completion", "--words", "organizations").out == "acme\n"
    channels = shell("completion", "--words", "channels").out.split()
    assert f"{shell.sandbox.repo}acme" in channels
    assert shell("completion").code == 2


@needs("zsh")
@pytest.mark.parametrize("start", ["conda token", "conda-token-plugin"])
def test_zsh_completes_a_command_when_tab_is_pressed(
    written: Callable[[str], Path], empty_home: Path, start: str
) -> None:
    folder = written("zsh").parent
    # The word is cut in two, so that only its printing shows it whole.
    setup = f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; print pre''pared\n"
    steps = [(setup, "prepared"), (f"{start} wh\t", "whoami")]
    assert "which" in pressed(["zsh", "-f", "-i"], *steps, home=empty_home)


def output(*command: str) -> list[str]:
    """The lines that a command prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1]


def pressed(command: list[str], *steps: tuple[str, str], home: Path) -> str:
    """What a terminal shows: each step presses keys and waits for a word on the screen."""
    child, terminal = pty.fork()
    if child == 0:
        path = os.environ["PATH"]
        os.execvpe(command[0], command, {"HOME": str(home), "PATH": path, "TERM": "dumb"})
    seen = ""
    for keys, word in steps:
        os.write(terminal, keys.encode())
        seen = until(word, terminal)
    os.close(terminal)
    os.waitpid(child, 0)
    return seen


def until(word: str, terminal: int) -> str:
    seen = ""
    while word not in seen:
        assert select.select([terminal], [], [], PATIENCE)[0], f"{word!r} never came: {seen}"
        seen += os.read(terminal, 4096).decode("utf-8", "replace")
    return seen

"""Any command line ends with a documented exit code, one error line, and valid JSON."""

from __future__ import annotations

import io
import json
import sys
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conda_token_plugin.cli.parser import verb_parser
from conda_token_plugin.cli.registry import VERBS
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.login import LoginIncomplete
from tests.cli.conftest import shell
from tests.leaks.scenes import TYPED
from tests.properties.conftest import BOUNDED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Shell
    from tests.support.machine import Ran

__all__ = ["shell"]  # a fixture

OURS = [verb for verb in VERBS if verb.name != "demo"]
"""The demo runs other programs, for seconds."""
VALUE = "Aa0" * 16
PAGES = ("usage: ", "conda-token-plugin ")
"""The beginnings of the output of ``--help`` and ``--version``, which is not JSON."""
WORDS = st.sampled_from(
    [
        *("acme", "globex", "nosuch", "", " ", "-", "--", "---", "-1", "0", "é", "\u200b", "a\nb"),
        *("\ud800", "\0", "%s", "{}", "~", "~nobody/x", ".", "..", "x" * 5_000, VALUE, "<TOKEN>"),
        *("14d", "0d", "999999w", "14 d", "2031-05-01", "0001-01-01", "9999-12-31T23:59:59-14:00"),
        *("https://[", "http://127.0.0.1:1/x", "http://127.0.0.1:99999/", "https://", "//", "h"),
        *("file", "keyring", "auto", "bash", "rattler", "mamba", "conda", "netrc", "dotenv"),
        *("pixi", "docker", "github-actions", "condarc", "path", "basic", "HOME"),
        *("ANACONDA_AUTH_API_KEY", "@file", "-q", "-y", "--help", "--version", "--json"),
        *("free", "mro", "environment.yml"),
    ]
)
OPTIONS = {
    verb.name: sorted(
        chain.from_iterable(a.option_strings for a in verb_parser(verb, prog="x")._actions)
    )
    for verb in OURS
}


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """Draw a valid command line with one change, or random options and words."""
    verb = draw(st.sampled_from([verb.name for verb in OURS]))
    option = st.sampled_from(OPTIONS[verb])
    joined = st.tuples(option, WORDS).map("=".join)
    cut = option.map(lambda text: text[:-1])
    words = draw(st.lists(option | WORDS | joined | cut, max_size=4))
    if draw(st.booleans()):
        good = [verb, *TYPED[verb]]
        at = draw(st.integers(1, len(good)))
        return [*good[:at], *words[:1], *good[at + draw(st.integers(0, 1)) :]]
    start = draw(st.just([verb]) | WORDS.map(lambda word: [word]) | st.just([]))
    return [*start, *words]


@pytest.fixture
def closed(
    shell: Shell,  # its function is imported
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """Return a shell that starts no program, does not wait, and reads no file of this machine."""
    shell.set("CONDA_TOKEN_SYSTEM_HOME", str(tmp_path / "system"))
    shell.set("CONDA_TOKEN_SYSTEM_CONDARC", str(tmp_path / "system.yml"))
    shell.set("PATH", str(tmp_path / "no-programs"))
    monkeypatch.setattr("conda_token_plugin.cli.commands.test.find_spec", lambda _: None)
    monkeypatch.setattr("conda_token_plugin.integrations.conda.condarcs.roots", lambda _: ())
    monkeypatch.setattr("conda_token_plugin.operations.extend_token.PATIENCE", 0.0)
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    monkeypatch.setattr("conda_token_plugin.cli.commands.login.log_in", nobody_logs_in)
    (home / "environment.yml").write_text(f"channels: [https://h.example/t/{VALUE}/x]\n")
    return shell


def nobody_logs_in(*_: object, **__: object) -> None:
    raise LoginIncomplete("was not finished")


def codes(error: type[TokenPluginError] = TokenPluginError) -> set[int]:
    """Return the documented exit codes of ``error`` and its subclasses."""
    return {0, error.exit_code, *chain.from_iterable(map(codes, error.__subclasses__()))}


def judge(ran: Ran, words: list[str]) -> None:
    """Assert that the command ended with a documented exit code, one error line and valid JSON."""
    assert ran.code in codes(), ran.code
    assert "Traceback" not in ran.err
    told = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    wants_json = "--json" in (words[: words.index("--")] if "--" in words else words)
    if wants_json and ran.out and not ran.out.startswith(PAGES):
        json.loads(ran.out)
    assert len(told) == (0 if wants_json or ran.code < 2 else 1) or ran.code == 1, ran.err


@BOUNDED
@given(words=lines(), typed=WORDS)
def test_any_command_line_ends_with_a_documented_exit_code(
    closed: Shell, monkeypatch: pytest.MonkeyPatch, words: list[str], typed: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", io.StringIO(typed))
        judge(closed(*(word.replace("{repo}", closed.sandbox.repo) for word in words)), words)


@pytest.mark.parametrize(
    "words",
    [
        ("remove", "\udcff"),
        ("remove", "--json", "\ud800"),
        ("export", "rattler", "--file", "\0"),
        ("export", "dotenv", "--file", "~nobody/x", "--org", "acme"),
    ],
)
def test_command_line_of_an_earlier_bug_has_no_traceback(
    closed: Shell, words: tuple[str, ...]
) -> None:
    closed("install", "--org", "acme", "--yes")
    judge(closed(*words), list(words))


@pytest.mark.parametrize("verb", [verb.name for verb in OURS if verb.name != "run"])
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_command_in_a_deleted_folder_has_no_traceback(
    closed: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    flags: tuple[str, ...],
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    own = {"import": ("--dry-run",), "export": ("dotenv", "pixi", "--org", "acme")}
    for typed in dict.fromkeys((TYPED[verb], own.get(verb, ()))):
        words = [verb, *flags, *(word.format(repo=closed.sandbox.repo) for word in typed)]
        judge(closed(*words), words)

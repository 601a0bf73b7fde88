"""Help that a person can use: one screen, examples that work, and what a command does not do."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.cli import CONDA_PROG, SCRIPT_PROG, main
from conda_token_plugin.cli.parser import overview, verb_parser
from conda_token_plugin.cli.registry import OTHER, VERBS

if TYPE_CHECKING:
    from conda_token_plugin.cli.registry import Verb
    from tests.cli.conftest import Shell

COLUMNS, LINES = 80, 24
PROGRAMS = (CONDA_PROG, SCRIPT_PROG)
DENIALS = re.compile(r"\b(not?|never|nothing|nobody|neither|without)\b", re.IGNORECASE)
SHELL = re.compile(r"(?:^|\s)(?:<|>|>>|\||&&)\s.*$|^(?:[A-Z_]+=\S+ )+")
"""What a shell keeps to itself: redirections, what comes after a pipe, variables before."""

every_verb = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
every_program = pytest.mark.parametrize("prog", PROGRAMS)


def shown(parser_help: str) -> list[str]:
    return parser_help.rstrip("\n").split("\n")


@every_program
def test_overview_fits_on_one_screen(prog: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    lines = shown(overview(prog=prog).format_help())
    assert len(lines) < LINES, "the prompt needs a line, too"
    assert [line for line in lines if len(line) > COLUMNS] == []


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_of_prose_is_wider_than_the_screen(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    pages = [overview(prog=CONDA_PROG).format_help()]
    pages += [verb_parser(verb, prog=CONDA_PROG).format_help() for verb in VERBS]
    # Examples are there to be copied, and a URL or an option is not cut in two.
    wide = [line for page in pages for line in shown(page) if len(line) > width]
    assert [line for line in wide if not line.startswith(" ") and " " in line] == []


def test_overview_names_every_command_under_a_heading() -> None:
    page = overview(prog=CONDA_PROG).format_help()
    for verb in VERBS:
        end = r"(,|$)" if verb.group == OTHER else r" +\S"
        assert re.search(rf"^(.*\S)? +{verb.name}{end}", page, re.MULTILINE), verb.name
        assert verb.group in page


@every_verb
def test_help_page_has_two_examples_that_can_be_parsed(verb: Verb) -> None:
    examples = examples_of(verb)
    assert len(examples) >= 2
    for words in examples:
        name, *arguments = words
        assert name == verb.name
        verb_parser(verb, prog=CONDA_PROG).parse_args(arguments)


@every_verb
def test_help_page_says_what_the_command_does_not_do(verb: Verb) -> None:
    prose = (verb.module.__doc__ or "").partition("Examples:")[2].partition("\n\n")[2]
    assert DENIALS.search(prose), prose


@every_verb
def test_help_page_begins_with_one_sentence_and_ends_with_a_full_stop(verb: Verb) -> None:
    doc = (verb.module.__doc__ or "").strip()
    assert doc.partition("\n\n")[0].endswith(".")
    assert doc.endswith(".")


@every_verb
@every_program
def test_help_names_the_program_that_was_called_and_no_other(
    verb: Verb, prog: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb.name, "--help"], prog=prog) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith(f"usage: {prog} {verb.name}")
    other = PROGRAMS[1 - PROGRAMS.index(prog)]
    mine = verb.name in {"completion", "demo"} and other == SCRIPT_PROG
    assert mine or f"{other} " not in out


@every_verb
def test_every_option_has_help(verb: Verb) -> None:
    parser = verb_parser(verb, prog=CONDA_PROG)
    assert [action.dest for action in parser._actions if not action.help] == []


def test_help_is_printed_without_a_terminal() -> None:
    command = [sys.executable, "-m", "conda_token_plugin", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("instal", "install"), ("remov", "remove"), ("ls", "list"), ("stat", "status")],
)
def test_misspelt_command_names_the_similar_one(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if meant not in {verb.name for verb in VERBS}:
        pytest.skip(f"there is no {meant}")
    assert main([typed], prog=CONDA_PROG) == 2
    assert f"Did you mean: conda token {meant}" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("remove", "acm"), ("install", "--org", "acmee")])
def test_misspelt_organization_names_the_similar_one(acme: Shell, words: tuple[str, ...]) -> None:
    ran = acme(*words)
    assert ran.code != 0
    assert "Did you mean" in ran.line
    assert "acme" in ran.line.partition("Did you mean")[2]


def examples_of(verb: Verb) -> list[list[str]]:
    """The words after ``conda token`` of each example."""
    lines = (verb.module.__doc__ or "").partition("Examples:\n")[2].partition("\n\n")[0]
    plain = [re.sub(r'^eval "\$\((.*)\)"$', r"\1", line.strip()) for line in lines.split("\n")]
    commands = [SHELL.sub("", SHELL.sub("", line)) for line in plain]
    return [re.sub(r"^conda(-| )token(-plugin)? ", "", line).split() for line in commands]

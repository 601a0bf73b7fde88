"""Line breaks of messages on a terminal."""

from __future__ import annotations

import pytest

from conda_token_plugin.cli.text import wrapped

WORDS = "Acme has a token for you and it is not stored on this machine."


@pytest.mark.parametrize("width", [20, 40, 80])
def test_wrapped_line_is_broken_between_words_and_loses_none(width: int) -> None:
    lines = wrapped(WORDS, width=width).split("\n")
    assert " ".join(lines) == WORDS
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("label", ["error: ", "hint:  ", "warning: ", "  now           "])
def test_wrapped_line_is_indented_to_the_text_behind_its_label(label: str) -> None:
    first, *rest = wrapped(label + WORDS, width=40).split("\n")
    assert first.startswith(label)
    assert rest
    assert all(line.startswith(" " * len(label)) for line in rest)


@pytest.mark.parametrize("head", ["Run: ", "then run: ", "Try: ", "Add to your condarc: "])
def test_command_is_never_broken_and_gets_a_line_of_its_own_if_it_does_not_fit(head: str) -> None:
    command = "conda token install --org acme --token-file secret.txt"
    lines = wrapped(f"error: {WORDS} {head}{command}", width=40).split("\n")
    assert lines[-1].endswith(f": {command}")


def test_command_directly_after_a_label_stays_on_its_line() -> None:
    line = "hint:  Run: conda token install --org acme --token-file secret.txt"
    assert wrapped(line, width=30) == line


def test_word_that_is_longer_than_the_screen_is_not_broken() -> None:
    address = "https://repo.anaconda.cloud/repo/acme/main/noarch/repodata.json"
    assert address in wrapped(f"Verified: downloaded package from {address}", width=30)


def test_short_line_is_returned_as_it_is() -> None:
    assert wrapped("  a   b", width=30) == "  a   b"

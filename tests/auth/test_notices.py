"""A token that was used is warned of in time, and not again on the same day."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.auth.notices import due_among, warning
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
FORTNIGHT = timedelta(days=14)


def token(organization: str = "acme", *, left: timedelta | None = timedelta(days=6)) -> Token:
    """A token that has this much time left."""
    return Token(
        organization=organization,
        kind=TokenKind.INDIVIDUAL,
        scope=(f"https://repo.example/{organization}",),
        last_four="ab12",
        expires=None if left is None else NOW + left,
    )


def said(*tokens: Token, folder: Path, now: datetime = NOW) -> str:
    return warning(tokens, now=now, within=FORTNIGHT, folder=folder)


def test_the_line_names_the_token_the_day_and_the_command(tmp_path: Path) -> None:
    assert said(token(), folder=tmp_path) == (
        "The token …ab12 of acme expires on 2026-11-30, in 6 days. Run: conda token sync acme"
    )


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=14), "in 14 days"),
        (timedelta(days=1, hours=3), "in 1 day."),
        (timedelta(hours=3), "in less than a day"),
        (timedelta(), "was to expire on 2026-11-24"),
        (timedelta(days=-3), "was to expire on 2026-11-21"),
    ],
)
def test_the_time_that_is_left_is_put_into_words(
    tmp_path: Path, left: timedelta, words: str
) -> None:
    assert words in said(token(left=left), folder=tmp_path)


@pytest.mark.parametrize("left", [None, timedelta(days=14, seconds=1), timedelta(days=300)])
def test_nothing_is_said_of_a_token_that_has_time(tmp_path: Path, left: timedelta | None) -> None:
    assert said(token(left=left), folder=tmp_path) == ""
    assert not (tmp_path / "warned.json").exists()


def test_of_several_the_first_to_die_is_named_and_all_are_noted(tmp_path: Path) -> None:
    late, soon = token("globex", left=timedelta(days=9)), token(left=timedelta(days=2))

    assert said(late, soon, folder=tmp_path).startswith("The token …ab12 of acme")
    assert said(late, soon, folder=tmp_path) == ""
    assert set(json.loads((tmp_path / "warned.json").read_text())) == {late.key, soon.key}


def test_it_is_said_again_after_a_day(tmp_path: Path) -> None:
    assert said(token(), folder=tmp_path)
    assert not said(token(), folder=tmp_path, now=NOW + timedelta(hours=23, minutes=59))
    assert said(token(), folder=tmp_path, now=NOW + timedelta(days=1))


def test_a_note_from_the_future_does_not_silence_it() -> None:
    tomorrow = {token().key: NOW + timedelta(days=30)}

    assert due_among([token()], now=NOW, within=FORTNIGHT, warned=tomorrow) == [token()]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": "soon"}'])
def test_damaged_notes_are_begun_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "warned.json").write_text(content)

    assert said(token(), folder=tmp_path)
    assert not said(token(), folder=tmp_path)


def test_where_nothing_can_be_noted_it_is_said_all_the_same(tmp_path: Path) -> None:
    assert said(token(), folder=tmp_path / "nowhere")

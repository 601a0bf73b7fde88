"""Tokens that expire soon are reported once a day."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta, timezone
from threading import Barrier, Thread
from time import sleep
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.auth.expiry import due_among, warning
from conda_token_plugin.auth.faults import log, warn_once
from conda_token_plugin.errors.store import NothingSupplied, ProviderFailed
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
FORTNIGHT = timedelta(days=14)


def token(organization: str = "acme", *, left: timedelta | None = timedelta(days=6)) -> Token:
    """Return a token that expires after `left`."""
    return Token(
        organization=organization,
        kind=TokenKind.INDIVIDUAL,
        scope=(f"https://repo.example/{organization}",),
        last_four="ab12",
        expires=None if left is None else NOW + left,
    )


def reported(*tokens: Token, folder: Path, now: datetime = NOW) -> str | None:
    return warning(dict.fromkeys(tokens, "file"), now=now, within=FORTNIGHT, folder=folder)


def test_warning_about_the_key_of_a_variable_names_the_variable(tmp_path: Path) -> None:
    key = token()._replace(kind=TokenKind.API_KEY)
    text = warning({key: "ANACONDA_AUTH_API_KEY"}, now=NOW, within=FORTNIGHT, folder=tmp_path)
    assert text is not None
    assert text.endswith("in 6 days. Put a new one into ANACONDA_AUTH_API_KEY.")


def test_warning_names_token_date_and_command(tmp_path: Path) -> None:
    assert reported(token(), folder=tmp_path) == (
        "The token …ab12 of acme expires on 2026-11-30, in 6 days. Run: conda token sync acme"
    )


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=14), "in 14 days"),
        (timedelta(days=1, hours=3), "in 1 day."),
        (timedelta(hours=3), "in less than a day"),
        (timedelta(), "expired on 2026-11-24"),
        (timedelta(days=-3), "expired on 2026-11-21"),
    ],
)
def test_warning_tells_the_remaining_time(tmp_path: Path, left: timedelta, words: str) -> None:
    assert words in str(reported(token(left=left), folder=tmp_path))


@pytest.mark.parametrize("left", [None, timedelta(days=14, seconds=1), timedelta(days=300)])
def test_token_without_near_expiry_is_not_reported(tmp_path: Path, left: timedelta | None) -> None:
    assert reported(token(left=left), folder=tmp_path) is None
    assert not (tmp_path / "warned.json").exists()


def test_first_of_several_expiring_tokens_is_named_and_all_are_recorded(tmp_path: Path) -> None:
    late, soon = token("globex", left=timedelta(days=9)), token(left=timedelta(days=2))

    assert str(reported(late, soon, folder=tmp_path)).startswith("The token …ab12 of acme")
    assert reported(late, soon, folder=tmp_path) is None
    assert set(json.loads((tmp_path / "warned.json").read_text())) == {late.key, soon.key}


def test_warning_is_repeated_after_a_day(tmp_path: Path) -> None:
    assert reported(token(), folder=tmp_path)
    assert not reported(token(), folder=tmp_path, now=NOW + timedelta(hours=23, minutes=59))
    assert reported(token(), folder=tmp_path, now=NOW + timedelta(days=1))


def test_recorded_time_in_the_future_is_ignored() -> None:
    tomorrow = {token().key: NOW + timedelta(days=30)}

    assert due_among([token()], now=NOW, within=FORTNIGHT, warned=tomorrow) == [token()]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": "soon"}'])
def test_damaged_record_is_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "warned.json").write_text(content)

    assert reported(token(), folder=tmp_path)
    assert not reported(token(), folder=tmp_path)


def test_warning_is_given_if_it_cannot_be_recorded(tmp_path: Path) -> None:
    assert reported(token(), folder=tmp_path / "nowhere")


class SlowLog(logging.Handler):
    """A log that takes its time, so that several threads write to it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def createLock(self) -> None:  # noqa: N802  # the name in logging
        """Have no lock, so that the log serializes nothing."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        sleep(0.2)
        self.lines.append(record.getMessage())


def test_fault_that_several_threads_meet_at_once_is_reported_once() -> None:
    slow, start = SlowLog(), Barrier(8)

    def meet() -> None:
        start.wait()
        warn_once(ProviderFailed("of-a-test", reason="it fails in every thread"))

    threads = [Thread(target=meet) for _ in range(8)]
    log.addHandler(slow)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        log.removeHandler(slow)
    assert len(slow.lines) == 1


def test_provider_that_supplies_nothing_is_not_reported() -> None:
    slow = SlowLog()
    log.addHandler(slow)
    try:
        warn_once(NothingSupplied("of-a-test", scope="https://repo.example"))
    finally:
        log.removeHandler(slow)
    assert slow.lines == []

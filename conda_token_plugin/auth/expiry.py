"""Warn of tokens that expire soon, at the end of a conda command that has sent them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from conda_token_plugin.auth.faults import log_once
from conda_token_plugin.gateways import state_file
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.display import capitalized, day, named, next_step
from conda_token_plugin.tokens.token import utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from conda_token_plugin.tokens.token import Token

NOTES = "warned.json"
"""File in the store's folder: when the user was last warned about each token."""
EVERY = timedelta(days=1)
MAX_DAYS = 100_000
"""Largest accepted number of days; a ``timedelta`` accepts at most 10,000 times as many."""


def report(used: Mapping[Token, str], *, repairs: Iterable[str], days: int, now: datetime) -> None:
    """Log what a command that has used tokens should tell the user.

    ``repairs`` is what the store repaired when it was read. A token is reported if it expires
    within ``days``. ``used`` maps each token to its source.
    """
    within = timedelta(days=max(-MAX_DAYS, min(days, MAX_DAYS)))
    line = warning(used, now=now, within=within, folder=Settings().store_folder)
    for text in (*repairs, *([line] if line else [])):
        log_once(text)


def warning(
    used: Mapping[Token, str], *, now: datetime, within: timedelta, folder: Path
) -> str | None:
    """Return the line about the tokens that expire ``within`` that time, or None.

    A token is not reported again within a day.
    """
    warned = _warned(folder)
    due = due_among(used, now=now, within=within, warned=warned)
    if not due:
        return None
    _note([one.key for one in due], now=now, folder=folder)
    first = due[0]
    more = f" (and {len(due) - 1} more)" if len(due) > 1 else ""
    return f"{_sentence(first, now=now)}{more}. {next_step(first, source=used[first])}"


def due_among(
    used: Iterable[Token], *, now: datetime, within: timedelta, warned: Mapping[str, datetime]
) -> list[Token]:
    """Return the tokens to warn about, the one that expires first in front. Pure.

    A time of warning in the future was written by a wrong clock, and is ignored.
    """
    return sorted(
        (
            token
            for token in used
            if (left := token.left(now=now)) is not None
            and left <= within
            and not now - EVERY < warned.get(token.key, now - EVERY) <= now
        ),
        key=lambda token: (token.end(now=now) or now, token.key),
    )


def _sentence(token: Token, *, now: datetime) -> str:
    left, end = token.left(now=now) or timedelta(), day(token.end(now=now))
    name = capitalized(named(token))
    if left <= timedelta():
        return f"{name} expired on {end}"
    days = "1 day" if left.days == 1 else f"{left.days} days"
    return f"{name} expires on {end}, in {days if left.days else 'less than a day'}"


def _warned(folder: Path) -> dict[str, datetime]:
    return _times(state_file.read(folder / NOTES))


def _times(content: object) -> dict[str, datetime]:
    try:
        items = content.items() if isinstance(content, dict) else ()
        return {str(key): utc(moment) for key, moment in items}
    except (ValueError, AttributeError):  # a value that is not a date and time
        return {}


def _note(keys: Iterable[str], *, now: datetime, folder: Path) -> None:
    def noted(old: object) -> dict[str, str]:
        times = _times(old) | dict.fromkeys(keys, now)
        return {key: moment.isoformat() for key, moment in times.items()}

    state_file.update(folder / NOTES, noted)

"""Saying in time that a token that was just used will expire: one line, at most once a day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from conda_token_plugin.gateways import state_file
from conda_token_plugin.tokens.token import utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from conda_token_plugin.tokens.token import Token

NOTES = "warned.json"
"""In the store's folder: when each token was last warned of."""
EVERY = timedelta(days=1)


def warning(used: Iterable[Token], *, now: datetime, within: timedelta, folder: Path) -> str:
    """The line about the tokens in ``used`` that expire ``within`` that time; "" for none.

    A token that was warned of less than a day ago is passed over; ``folder`` keeps the notes.
    """
    warned = _warned(folder)
    due = due_among(used, now=now, within=within, warned=warned)
    if not due:
        return ""
    _note([one.key for one in due], now=now, folder=folder)
    first = due[0]
    more = f" (and {len(due) - 1} more)" if len(due) > 1 else ""
    return f"{_what(first, now=now)}{more}. Run: conda token sync {first.organization}"


def due_among(
    used: Iterable[Token], *, now: datetime, within: timedelta, warned: Mapping[str, datetime]
) -> list[Token]:
    """The tokens to warn of, the one that dies first in front. Pure.

    A time of warning that lies in the future is from a clock that was wrong, and does not count.
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


def _what(token: Token, *, now: datetime) -> str:
    left = token.left(now=now) or timedelta()
    end = token.end(now=now)
    day = f"{end:%Y-%m-%d}" if end else "a date that is not known"
    shown = f" …{token.last_four}" if token.last_four else ""
    name = f"The token{shown} of {token.organization}"
    if left <= timedelta():
        return f"{name} was to expire on {day}"
    days = "1 day" if left.days == 1 else f"{left.days} days"
    return f"{name} expires on {day}, in {days if left.days else 'less than a day'}"


def _warned(folder: Path) -> dict[str, datetime]:
    return _times(state_file.read(folder / NOTES))


def _times(content: object) -> dict[str, datetime]:
    try:
        items = content.items() if isinstance(content, dict) else ()
        return {str(key): utc(moment) for key, moment in items}
    except (ValueError, AttributeError):  # a value that is no date and time
        return {}


def _note(keys: Iterable[str], *, now: datetime, folder: Path) -> None:
    def noted(old: object) -> dict[str, str]:
        times = _times(old) | dict.fromkeys(keys, now)
        return {key: moment.isoformat() for key, moment in times.items()}

    state_file.update(folder / NOTES, noted)

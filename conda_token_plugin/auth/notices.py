"""What the plugin reports while conda works: its own faults, and tokens that expire soon.

Reported through the logger, because a conda command owns the standard output.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import cache
from threading import Lock
from traceback import extract_tb
from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.gateways import state_file
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.token import utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from conda_token_plugin.tokens.token import Token

log = logging.getLogger(__name__)

NO_TOKEN = "requests go on without a token"  # noqa: S105  # a sentence, not a token
NOTES = "warned.json"
"""File in the store's folder: when the user was last warned about each token."""
EVERY = timedelta(days=1)
MAX_DAYS = 100_000
"""Largest accepted number of days; a ``timedelta`` accepts at most 10,000 times as many."""


REFUSED_ELSEWHERE: dict[str, str] = {}
"""Requests that were redirected and then refused without the token: URL as in errors, host."""
_LOGGING = Lock()


class faults_reported:  # noqa: N801  # used like a function, as `contextlib.suppress`
    """Report what the block raises, and go on: no fault of ours may stop a conda command."""

    def __init__(self, consequence: str = NO_TOKEN) -> None:
        """``consequence`` is what does not happen because of the fault."""
        self._consequence = consequence

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _type: object, fault: BaseException | None, _trace: object) -> bool:
        """Report the fault; exits and interrupts pass."""
        if not isinstance(fault, Exception):
            return False
        warn_once(fault, consequence=self._consequence)
        return True


def warn_once(fault: Exception, *, consequence: str = NO_TOKEN) -> None:
    """Log the error and its consequence, once per process.

    A bug is named by its type and place only, because its message may hold a secret.
    """
    if isinstance(fault, ModuleNotFoundError):
        from conda_token_plugin.errors.outcome import MissingLibrary

        fault = MissingLibrary.of(fault) or fault
    expected = isinstance(fault, TokenPluginError)
    if isinstance(fault, TokenPluginError) and not fault.is_fault:
        return  # such as a provider that says that no credential is needed
    text = str(fault) if expected else f"It has a bug; please report it: {_place_of(fault)}."
    _log_once(f"{consequence}. {text}")


def _log_once(text: str) -> None:
    with _LOGGING:  # `cache` alone does not keep two threads from logging at the same time
        _logged(text)


@cache
def _logged(text: str) -> None:
    log.warning("conda-token-plugin: %s", text)


def _place_of(bug: Exception) -> str:
    where = extract_tb(bug.__traceback__)[-1]
    return f"{type(bug).__name__} in {where.name} ({where.filename}:{where.lineno})"


def bad_setting(error: Exception) -> TokenPluginError:
    """Return the error for a setting of ours that conda cannot read."""
    from conda_token_plugin.errors.input import BadInput

    return BadInput(str(error))


def report(  # the facts, which plugin.py hands in
    used: Iterable[Token], *, repairs: Iterable[str], days: int, now: datetime
) -> None:
    """Log what a command that has used tokens should tell the user.

    Args:
        used: The tokens that this process has sent.
        repairs: What the store repaired when it was read.
        days: A token is reported if it expires within this many days.
        now: Current time, aware, UTC.
    """
    within = timedelta(days=max(-MAX_DAYS, min(days, MAX_DAYS)))
    line = warning(used, now=now, within=within, folder=Settings().store_folder)
    for text in (*repairs, *([line] if line else [])):
        _log_once(text)


def warning(used: Iterable[Token], *, now: datetime, within: timedelta, folder: Path) -> str | None:
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
    return f"{_what(first, now=now)}{more}. Run: conda token sync {first.organization}"


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


def _what(token: Token, *, now: datetime) -> str:
    left = token.left(now=now) or timedelta()
    end = token.end(now=now)
    day = f"{end:%Y-%m-%d}" if end else "an unknown date"
    shown = f" …{token.last_four}" if token.last_four else ""
    name = f"The token{shown} of {token.organization}"
    if left <= timedelta():
        return f"{name} expired on {day}"
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

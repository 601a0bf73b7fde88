"""Types of arguments: from what is typed to a value, or to one line that says what was expected."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import TYPE_CHECKING

from conda_token_plugin.tokens.scope import segment
from conda_token_plugin.tokens.token import utc

if TYPE_CHECKING:
    from datetime import datetime

UNITS = {"h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=36_500)


def span(text: str) -> timedelta:
    """A length of time: ``14d``, ``12h``, ``2w``.

    Raises:
        ArgumentTypeError: it is none.
    """
    match = re.fullmatch(r"(\d{1,6})([hdw])", text.strip().lower(), re.ASCII)
    length = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else None
    if length is None or length > LONGEST:
        raise ArgumentTypeError(f"{text!r} is no length of time like 14d, 12h or 2w")
    return length


def organization(text: str) -> str:
    """The name of an organization.

    Raises:
        BadInput: nothing can be called that.
    """
    segment(text)
    return text


def moment(text: str) -> datetime:
    """A date, or a date and time, of UTC where it says nothing else: ``2027-01-31``.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        return utc(text)
    except (ValueError, OverflowError):  # no date, or one at the end of the calendar
        raise ArgumentTypeError(f"{text!r} is no date like 2027-01-31") from None

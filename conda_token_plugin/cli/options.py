"""Option types that several commands share, and the options for default channels."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import TYPE_CHECKING

from conda_token_plugin.tokens.scope import ARCHIVE_CHANNELS, normalised, segment, shared_prefixes
from conda_token_plugin.tokens.token import utc

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from datetime import datetime

    from conda_token_plugin.cli.context import CommandContext

STORE_HELP = "where to store it; auto: in the system keyring if there is one"
UNITS = {"h": "hours", "d": "days", "w": "weeks"}
MAX_SPAN = timedelta(days=36_500)


def span(text: str) -> timedelta:
    """Return the duration that `text` says: `14d`, `12h` or `2w`.

    Raises:
        ArgumentTypeError: It is not a duration, or longer than a century.
    """
    match = re.fullmatch(r"(\d{1,6})([hdw])", text.strip().lower(), re.ASCII)
    length = timedelta(**{UNITS[match[2]]: int(match[1])}) if match else None
    if length is None or length > MAX_SPAN:
        raise ArgumentTypeError(f"{text!r} is not a duration like 14d, 12h or 2w")
    return length


def organization(text: str) -> str:
    """Return `text` if an organization can have that name.

    Raises:
        BadInput: It cannot.
    """
    segment(text)
    return text


def moment(text: str) -> datetime:
    """Return the date, or date and time, that `text` says; UTC unless it names another zone.

    Raises:
        ArgumentTypeError: It is not a date.
    """
    try:
        return utc(text)
    except (ValueError, OverflowError):  # OverflowError: at the end of the calendar
        raise ArgumentTypeError(f"{text!r} is not a date like 2027-01-31") from None


def add_channel_options(parser: ArgumentParser) -> None:
    """Add the options for default channels, which `config` and `set` have."""
    parser.add_argument(
        "--include-archive-channels",
        nargs="+",
        choices=(*ARCHIVE_CHANNELS, "mro"),
        default=[],
        metavar="NAME",
        help=f"more default channels: {', '.join(ARCHIVE_CHANNELS)}",
    )
    parser.add_argument(
        "--enable-signature-verification",
        action="store_true",
        help="make conda verify the signatures of packages",
    )


def default_channels(call: CommandContext) -> tuple[str, ...]:
    """Return the repository's shared channels and the archive channels that were named."""
    repository = call.settings.repo_url
    # anaconda-auth's help says "mro"; the channel's name is mro-archive.
    names = ["mro-archive" if one == "mro" else one for one in call.args.include_archive_channels]
    archive = [normalised(f"{repository}{name}") for name in names]
    return tuple(dict.fromkeys((*shared_prefixes(repository), *archive)))

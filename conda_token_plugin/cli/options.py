"""Options and arguments that several commands have: their types, their help, their errors."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import timedelta
from shutil import which
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.tokens.repository_layout import ARCHIVE_CHANNELS, segment, shared_prefixes
from conda_token_plugin.tokens.scope import normalised
from conda_token_plugin.tokens.token import AuthScheme, utc

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _ArgumentGroup
    from collections.abc import Iterable
    from datetime import datetime

    from conda_token_plugin.cli.context import CommandContext

UNITS = {"h": "hours", "d": "days", "w": "weeks"}
MAX_SPAN = timedelta(days=36_500)
SCHEMES = [scheme.value for scheme in AuthScheme if scheme is not AuthScheme.HEADER]
"""The values of `--send-as`."""


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


def add_organizations(parser: ArgumentParser, *, default: str) -> None:
    """Add the organizations, which `named_organizations` returns."""
    parser.add_argument(
        "organizations", nargs="*", metavar="ORG", help=f"organizations (default: {default})"
    )
    parser.add_argument(
        *("-o", "--org"),
        action="append",
        default=[],
        metavar="ORG",
        help="the same as the argument",
    )


def named_organizations(args: Namespace) -> list[str]:
    """Return the organizations that the arguments name; none means all.

    Raises:
        BadInput: Organizations are named together with ``--all``.
    """
    names = [*args.organizations, *args.org]
    if names and getattr(args, "all", False):
        raise BadInput(
            "--all and the name of an organization exclude each other.", hint="Use one of them."
        )
    return names


def refuse_unknown(names: Iterable[str], *, known: set[str]) -> None:
    """Raise an error if one of the names is not among the organizations that have a token.

    Raises:
        NoToken: No token is stored for an organization.
    """
    for name in names:
        if name not in known:
            raise NoToken.for_organization(name, known=known)


def several(known: Iterable[str], *, hint: str) -> BadInput:
    """Return the error for a command that needs one organization, if none was named."""
    names = ", ".join(sorted(known))
    return BadInput(f"Several organizations have a token: {names}.", hint=hint)


def add_store(parser: ArgumentParser) -> None:
    """Add the option that chooses where secrets are stored."""
    parser.add_argument(
        "--store",
        choices=("auto", "keyring", "file"),
        help="where to store the secret; auto: in the system keyring if there is one",
    )


def program(words: list[str], *, path: str | None, example: str) -> list[str]:
    """Return the words of a command without a leading ``--``, with the path of its program.

    Args:
        words: The words after the options.
        path: The folders to search, as in PATH. None: those of this process.
        example: What is shown if there is no command.

    Raises:
        BadInput: There is no command, or no such program.
    """
    words = words[1:] if words[:1] == ["--"] else words
    if not words:
        raise BadInput("No command was given.", hint=f"For example: {example}")
    found = which(words[0], path=path)
    if found is None:
        raise BadInput(f"The program {words[0]!r} was not found.", hint="Check its name, and PATH.")
    return [found, *words[1:]]


def add_ignored_options(parser: ArgumentParser) -> _ArgumentGroup:
    """Add the options of anaconda-auth that have no effect here; return their group."""
    group = parser.add_argument_group("for compatibility with anaconda-auth")
    group.add_argument("-e", "--env", action="store_true", help="accepted, ignored")
    group.add_argument("-f", "--file", metavar="FILE", help="accepted, ignored")
    return group


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

"""Check the configured channels as conda requests them, and show which token was used.

Examples:
  conda token test
  conda token test https://repo.anaconda.cloud/repo/acme/main

For each channel, the beginning of repodata.json, of its compressed form and of its shards
is requested, and one byte of a package. The requests use the session that conda itself
would use, or if conda is not installed, the same headers.

Exit code 1: a channel cannot be used, or none is configured.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from conda_token_plugin.operations.check_channel import DirectSender, check_channel
from conda_token_plugin.store.sources import all_tokens
from conda_token_plugin.tokens.display import last_four
from conda_token_plugin.tokens.scope import normalised, without_secrets

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.check_channel import ChannelReport, Sender
    from conda_token_plugin.store.lookup import Lookup
    from conda_token_plugin.store.sources import Credential

NOARCH = "/noarch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The results for one channel, and the token that was sent."""

    report: ChannelReport
    found: Credential | None
    own: bool
    """Whether the channel's URL contains credentials, which are used instead."""


def configure(parser: ArgumentParser) -> None:
    """Add the channels."""
    parser.add_argument(
        "channels",
        nargs="*",
        metavar="CHANNEL",
        help="the channels to check (default: those of conda)",
    )


def run(call: CommandContext) -> int:
    """Check each channel. Return 1 if one cannot be used, or if there is none to check."""
    subdirs, sender, lookup = _plan(call)
    lines: list[Line] = []
    for subdir in subdirs:
        shown = without_secrets(subdir)
        call.printer.say(f"Checking {shown.removesuffix(NOARCH)} …")
        report = check_channel(subdir, shown=shown, sender=sender)
        lines.append(Line(report=report, found=lookup.find(f"{subdir}/"), own=subdir != shown))
    call.printer.table([_row(line) for line in lines], value=[_value(line) for line in lines])
    if not lines:
        call.printer.say("No channel is configured. Name one: conda token test URL")
    return 0 if lines and all(line.report.works for line in lines) else 1


def _plan(call: CommandContext) -> tuple[tuple[str, ...], Sender, Lookup]:
    """Return the subdirs to check, the sender, and the lookup."""
    lookup = call.lookup()
    if find_spec("conda") is not None:
        from conda_token_plugin.auth.session import CondaSender, subdirs

        return subdirs(call.args.channels), CondaSender(lookup), lookup
    named = [normalised(url) for url in call.args.channels]
    return tuple(f"{url}{NOARCH}" for url in named or _known(call)), DirectSender(lookup), lookup


def _known(call: CommandContext) -> tuple[str, ...]:
    """Return the channels that tokens were installed with, where conda is not installed."""
    held = all_tokens(call.settings, stores=call.stores())
    urls = (url for one in held for url in (*one.token.channels, *one.token.default_channels))
    return tuple(dict.fromkeys(urls))


def _row(line: Line) -> dict[str, str]:
    words = {name: part.word for name, part in line.report.parts.items()}
    return {"channel": line.report.url.removesuffix(NOARCH), **words, "token": _token(line)}


def _token(line: Line) -> str:
    if line.found is None:
        return "the one in its URL" if line.own else "none"
    token = line.found.token
    return f"{token.organization} {last_four(token)} ({line.found.source})"


def _value(line: Line) -> dict[str, Any]:
    report, found = line.report, line.found
    return {
        "channel": report.url.removesuffix(NOARCH),
        "works": report.works,
        "own_credentials": line.own,
        "token": {
            "organization": found.token.organization,
            "last_four": found.token.last_four,
            "source": found.source,
        }
        if found
        else None,
        **{
            name: {"result": part.result.value, "details": part.details}
            for name, part in report.parts.items()
        },
    }

"""Try the configured channels as conda would, and say what worked with which token.

Examples:
  conda token test
  conda token test https://repo.anaconda.cloud/repo/acme/main

Of each channel it asks for the beginning of repodata.json, of its compressed form and
of its shards, and for one byte of a package, through the session that conda itself
uses (where there is no conda, as its handler would send it). Exit code 1: a channel
cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from conda_token_plugin.operations.check_channel import Direct, tried
from conda_token_plugin.store.lookup import holdings
from conda_token_plugin.tokens.display import last_four
from conda_token_plugin.tokens.scope import normalised, without_secrets

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.check_channel import ChannelReport, Sender
    from conda_token_plugin.store.held_token import HeldToken
    from conda_token_plugin.store.lookup import Lookup

NOARCH = "/noarch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of one channel, and the token that it was opened with."""

    trial: ChannelReport
    found: HeldToken | None
    own: bool
    """Whether the channel's URL has credentials of its own, which are used as they are."""


def configure(parser: ArgumentParser) -> None:
    """Take the channels."""
    parser.add_argument("channels", nargs="*", metavar="CHANNEL", help="default: the configured")


def run(call: CommandContext) -> int:
    """Try each channel; 1 when one of them cannot be used, or there is none to try."""
    subdirs, sender, lookup = _plan(call)
    lines: list[Line] = []
    for subdir in subdirs:
        shown = without_secrets(subdir)
        call.printer.say(f"Trying {shown.removesuffix(NOARCH)} …")
        trial = tried(subdir, shown=shown, sender=sender)
        lines.append(Line(trial=trial, found=lookup.find(f"{subdir}/"), own=subdir != shown))
    call.printer.table([_row(line) for line in lines], value=[_value(line) for line in lines])
    if not lines:
        call.printer.say("No channel is configured. Name one: conda token test URL")
    return 0 if lines and all(line.trial.works for line in lines) else 1


def _plan(call: CommandContext) -> tuple[tuple[str, ...], Sender, Lookup]:
    """What to try, who sends, and who knows the tokens.

    Raises:
        MalformedURL: without conda, a channel that is named by no URL.
    """
    lookup = call.lookup()
    if find_spec("conda") is not None:
        from conda_token_plugin.auth.session import CondaSender, subdirs

        return subdirs(call.args.channels), CondaSender(), lookup
    named = [normalised(url) for url in call.args.channels]
    return tuple(f"{url}{NOARCH}" for url in named or _known(call)), Direct(lookup), lookup


def _known(call: CommandContext) -> tuple[str, ...]:
    """The channels that tokens were set up with, where no conda says which are used."""
    held = holdings(call.settings, stores=call.stores())
    urls = (url for one in held for url in (*one.token.channels, *one.token.default_channels))
    return tuple(dict.fromkeys(urls))


def _row(line: Line) -> dict[str, str]:
    words = {name: part.word for name, part in line.trial.parts.items()}
    return {"channel": line.trial.url.removesuffix(NOARCH), **words, "token": _token(line)}


def _token(line: Line) -> str:
    if line.found is None:
        return "the one in its URL" if line.own else "none"
    token = line.found.token
    return f"{token.organization} {last_four(token)} ({line.found.source})"


def _value(line: Line) -> dict[str, Any]:
    trial, found = line.trial, line.found
    return {
        "channel": trial.url.removesuffix(NOARCH),
        "works": trial.works,
        "own_credentials": line.own,
        "token": {
            "organization": found.token.organization,
            "last_four": found.token.last_four,
            "source": found.source,
        }
        if found
        else None,
        **{
            name: {"result": part.finding.value, "details": part.details}
            for name, part in trial.parts.items()
        },
    }

"""Say which token a URL would be requested with, where it is from, and why.

Examples:
  conda token which https://repo.anaconda.cloud/repo/acme/main
  conda token which https://repo.anaconda.cloud/repo/acme/main/noarch/repodata.json --json

It makes no request and never shows the token. Exit code 1: no token covers the URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli.commands.list import entry
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.tokens.display import channels, expiry, last_four
from conda_token_plugin.tokens.scope import normalised, without_secrets

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store.held_token import HeldToken


def configure(parser: ArgumentParser) -> None:
    """Take the URL."""
    parser.add_argument("url", metavar="URL", help="a channel, or any file in one")


def run(call: CommandContext) -> int:
    """Print the token's organization, source and reason; NoToken where there is none."""
    url = normalised(call.args.url)
    found = call.lookup().find(f"{url}/")
    if found is None:
        raise NoToken.for_url(without_secrets(url))
    value = entry(found.token, source=found.source, now=call.now)
    call.printer.data(
        {**value, "url": url, "prefix": found.prefix},
        text="\n".join(_lines(url, found, call=call)),
    )
    return 0


def _lines(url: str, found: HeldToken, *, call: CommandContext) -> list[str]:
    token = found.token
    return [
        f"URL           {url}",
        f"organization  {token.organization} ({token.kind.value} token {last_four(token)})",
        f"from          {found.source}",
        f"because       {channels([found.prefix])} is the longest of its prefixes",
        f"sent as       {_sent(token.way.value)}",
        f"expires       {expiry(token, now=call.now)}",
    ]


def _sent(way: str) -> str:
    return "/t/<token>/ in the request's URL" if way == "path" else f"Authorization: {way} …"

"""List the stored tokens and those that the environment supplies; never shows a token.

Examples:
  conda token list
  conda token list --json

It reads metadata only: no keychain prompt, no request. It does not ask whether
a token still works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.store.lookup import holdings
from conda_token_plugin.tokens.display import channels_of, expiry, last_four

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from datetime import datetime

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store.held_token import HeldToken
    from conda_token_plugin.tokens.token import Token


def configure(parser: ArgumentParser) -> None:
    """It has no options of its own."""


def run(call: CommandContext) -> int:
    """Print a row a token; 0 also when there is none."""
    held = holdings(call.settings, stores=call.stores())
    call.printer.table(
        [_row(item, call=call) for item in held],
        value=[entry(item.token, source=item.source, now=call.now) for item in held],
    )
    if not held:
        call.printer.say("No token is stored. Run: conda token install")
    return 0


def entry(token: Token, *, source: str, now: datetime) -> dict[str, Any]:
    """The ``--json`` form of one token: its metadata, source and state."""
    left = token.left(now=now)
    return {
        **token.as_json(),
        "source": source,
        "state": token.state(now=now).value,
        "days_left": None if left is None else left.days,
        "proven": token.proven.isoformat() if token.proven else None,
    }


def _row(item: HeldToken, *, call: CommandContext) -> dict[str, str]:
    token = item.token
    return {
        "organization": token.organization,
        "kind": token.kind.value,
        "channels": channels_of(token, repository=call.settings.repo_url),
        "expires": expiry(token, now=call.now),
        "stored in": item.source,
        "token": last_four(token) + ("" if token.proven else " (not proven)"),
    }

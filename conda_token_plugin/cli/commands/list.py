"""List tokens, and API keys and providers that open channels; never shows a secret.

Examples:
  conda token list
  conda token list --json

It reads metadata only: no keychain prompt, no request, and no provider is run. It does not
check whether a token still works; `conda token status` does. With nothing to list, the exit code
is 0 (anaconda-auth's is 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli.output import entry
from conda_token_plugin.store.lookup import all_credentials
from conda_token_plugin.tokens.display import expiry, last_four
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store.held_token import HeldToken


def configure(parser: ArgumentParser) -> None:
    """Add nothing: the command has no options of its own."""


def run(call: CommandContext) -> int:
    """Print one row per token; return 0 also if there is none."""
    stores = call.stores()
    held = all_credentials(call.settings, stores=stores)
    call.printer.table(
        [_row(item, call=call) for item in held],
        value=[entry(item.token, source=item.source, now=call.now) for item in held],
    )
    if not held:
        call.printer.say("No token is stored. Run: conda token install")
    return 0


def _row(item: HeldToken, *, call: CommandContext) -> dict[str, str]:
    token = item.token
    is_verified = token.proven or token.kind in (TokenKind.API_KEY, TokenKind.PROVIDER)
    return {
        "organization": token.organization,
        "kind": token.kind.value,
        "channels": _channels(token.scope, repository=call.settings.repo_url),
        "expires": expiry(token, now=call.now).replace(" days left", "d"),
        "source": item.source,
        "token": last_four(token) + ("" if is_verified else " (not verified)"),
    }


def _channels(scope: tuple[str, ...], *, repository: str) -> str:
    """Return the scope without the address of the repository: `acme,main,r,msys2`."""
    return ",".join(
        prefix.removeprefix(repository).partition("://")[2] or prefix.removeprefix(repository)
        for prefix in scope
    )

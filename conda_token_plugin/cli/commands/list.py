"""List tokens, and the API keys and providers that are used for channels, without their values.

Examples:
  conda token list
  conda token list --json

Only metadata are read: no keyring is unlocked, no request is made, and no provider is
run. To check whether a token still works, use `conda token status`. The exit code is 0
even if there is nothing to list (anaconda-auth returns 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.store.sources import all_credentials
from conda_token_plugin.tokens.display import expiry, last_four
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store.sources import Credential
    from conda_token_plugin.tokens.token import Token


def run(call: CommandContext) -> int:
    """Print one row per token; return 0 also if there is none."""
    stores = call.stores()
    held = all_credentials(call.settings, stores=stores)
    call.printer.table(
        [_row(item, call=call) for item in held],
        value=[call.entry(item.token, source=item.source) for item in held],
    )
    if not held:
        call.printer.say("No token is stored. Run: conda token install")
    return 0


def _row(item: Credential, *, call: CommandContext) -> dict[str, str]:
    token = item.token
    verifiable = token.kind not in (TokenKind.API_KEY, TokenKind.PROVIDER, TokenKind.UNKNOWN)
    unverified = " (not verified)" if verifiable and not token.verified else ""
    on_terminal = call.printer.out.isatty()
    return {
        "org" if on_terminal else "organization": _owner(token, short=on_terminal),
        "kind": token.kind.value,
        "channels": _channels(token.scope, repository=call.settings.repo_url),
        "expires": expiry(token, now=call.now).replace(" days left", "d"),
        "source": _short(item.source) if on_terminal else item.source,
        "token": last_four(token) + unverified,
    }


def _owner(token: Token, *, short: bool) -> str:
    of_all = token.kind is TokenKind.API_KEY
    return "(all)" if of_all and short else token.organization


def _short(source: str) -> str:
    """Return a source in one word, so that a row fits; `conda token status` shows all of it."""
    if source.startswith("login to "):
        return "login"
    return "variable" if source.isupper() else "mounted" if "/" in source else source


def _channels(scope: tuple[str, ...], *, repository: str) -> str:
    """Return the scope without the address of the repository: `acme,main,r,msys2`, or `(all)`."""
    return ",".join(
        "(all)"
        if f"{prefix}/" == repository
        else prefix.removeprefix(repository).partition("://")[2] or prefix.removeprefix(repository)
        for prefix in scope
    )

"""Delete the login that `conda token login` stored.

Examples:
  conda token logout
  conda token logout --json

Your tokens are kept and still work; to delete them, use `conda token remove`. The API key
is also removed from the files that it was exported to. It is not revoked, because the
service has no request for that. A login of anaconda-auth is not changed; to delete it,
use `anaconda logout`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.login import LoginError
from conda_token_plugin.operations.exported_copies import remove_copies_of
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.export_record import ExportResult
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token


def run(call: CommandContext) -> int:
    """Delete the login; return 0 also if there was none. Say which login is used from now on."""
    store = call.store()
    service = call.settings.service_url
    copies = _remove_copies(call, store=store)
    forgotten = store.remove_login(service)
    left = _left(call, store=store)
    if left is None:
        prefix = call.settings.site.key_prefix
        keys = [one for one in store.configured() if one.kind is TokenKind.API_KEY]
        store.configure(*(_unused(one) for one in keys if one.scope == (prefix,)))
    update_dropin(call.condarc, store=store)
    call.print_notices()
    call.printer.say(
        f"✓ Logged out of {service}"
        if forgotten
        else f"Not logged in to {service} with `conda token login`."
    )
    call.report_copies(copies)
    if left:
        call.printer.say(f"The API key from {left} is used from now on.")
    call.printer.data({"service": service, "logged_out": forgotten, "still_there": left})
    return 0


def _remove_copies(call: CommandContext, *, store: Store) -> list[ExportResult]:
    """Remove the API key of the login from the files that it was exported to."""
    service = call.settings.service_url
    opens, key = store.channel_logins().get(service), store.login(service)
    if opens is None or key is None:
        return []
    return remove_copies_of(opens, settings=call.settings, secret=key)


def _unused(key: Token) -> Token:
    """Return ``key`` without the channels that `config` set for it."""
    return key._replace(channels=(), default_channels=())


def _left(call: CommandContext, *, store: Store) -> str | None:
    """Return the source of the API key that is used from now on, or `None`."""
    from conda_token_plugin.service.credentials import find_api_key

    try:
        return find_api_key(call.settings, store)[1]
    except LoginError:  # there is none, or it has expired
        return None

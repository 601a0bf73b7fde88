"""Log in to the service, and keep the login where tokens are kept.

Examples:
  conda token login
  conda token login --web

A code and an address are shown; open the address in any browser, also on another
machine. With --web the browser of this machine is opened instead. What is kept is an
API key: it issues tokens, and expires after a year at most. Scripts need no login:
they set ANACONDA_AUTH_API_KEY, which goes before any login.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli.login_flow import OURS, log_in
from conda_token_plugin.errors.input import NeedsAnswer
from conda_token_plugin.errors.login import LoginError
from conda_token_plugin.errors.organization import OrganizationError
from conda_token_plugin.errors.service import ServiceError
from conda_token_plugin.settings import API_KEY
from conda_token_plugin.tokens.display import KEPT_IN

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.service.models import Identity
    from conda_token_plugin.tokens.secret import Secret


def configure(parser: ArgumentParser) -> None:
    """Choose the way, and the place."""
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--device", action="store_true", help="show a code (default)")
    way.add_argument("--web", action="store_true", help="open the browser of this machine")
    parser.add_argument("--store", choices=("auto", "keyring", "file"), help="where to keep it")


def run(call: CommandContext) -> int:
    """Log in, keep the API key, and only then say who it is.

    Raises:
        NeedsAnswer: nobody is there to log in, and no way was chosen.
    """
    if not (call.args.device or call.args.web or call.prompts.interactive):
        raise NeedsAnswer("How do you want to log in?", flag="--device or --web")
    store = call.store()
    api_key, vault = log_in(call, store=store, web=call.args.web)
    call.say_notices()
    _report(call, api_key, vault=vault)
    return 0


def _report(call: CommandContext, api_key: Secret, *, vault: str) -> None:
    from conda_token_plugin.service.credentials import expiry_of

    identity, expires = _who(call, api_key), expiry_of(api_key)
    name = (identity.username or identity.email) if identity else ""
    until = f", good until {expires:%Y-%m-%d}" if expires else ""
    call.printer.say(
        f"Logged in to {call.settings.service_url}{f' as {name}' if name else ''}. "
        f"The API key is kept {KEPT_IN[vault]}{until}."
    )
    if call.settings.secret(API_KEY) is not None:
        call.printer.warn(f"{API_KEY} is set, and goes before this login.")
    value: dict[str, Any] = {
        "service": call.settings.service_url,
        "username": name or None,
        "expires": expires.isoformat() if expires else None,
        "stored_in": vault,
    }
    call.printer.data(value)


def _who(call: CommandContext, api_key: Secret) -> Identity | None:
    """Who logged in, if the service says so; a login is no less good when it does not."""
    from conda_token_plugin.service.client import Service

    try:
        return Service(call.settings.service_url, api_key=api_key, source=OURS).whoami()
    except (ServiceError, LoginError, OrganizationError) as error:  # down again, or of few words
        call.printer.warn(f"Who you are could not be asked: {error.what}")
        return None

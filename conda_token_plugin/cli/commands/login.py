"""Log in to the service, and store the login where tokens are stored.

Examples:
  conda token login
  conda token login --web

The command shows an address and a code. Open the address in any browser, also on another
machine, and compare the code. With --web the browser of this machine is opened instead.
An API key is stored. It issues tokens, and conda sends it to the channels of your
organizations for which no token is stored; with --no-channels it does not. It expires
after a year at most. If you are logged in, you are asked before another key is created.
A script needs no login: it sets ANACONDA_AUTH_API_KEY, which has precedence over a login.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli.login_flow import STORED_LOGIN, log_in
from conda_token_plugin.cli.options import add_store
from conda_token_plugin.errors.input import NeedsAnswer
from conda_token_plugin.errors.login import LoginError
from conda_token_plugin.errors.organization import OrganizationError
from conda_token_plugin.errors.service import ServiceError
from conda_token_plugin.tokens.api_key import expiry_of
from conda_token_plugin.tokens.display import STORED_IN

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.service.models import Identity
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret


def configure(parser: ArgumentParser) -> None:
    """Add the way to log in and the place to store it."""
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--device", action="store_true", help="show a code (default)")
    way.add_argument("--web", action="store_true", help="open the browser of this machine")
    parser.add_argument(
        "--no-channels", action="store_true", help="do not send the API key to channels"
    )
    add_store(parser)


def run(call: CommandContext) -> int:
    """Log in, store the API key, and then say who logged in.

    Raises:
        NeedsAnswer: There is no terminal, and no way to log in was chosen.
        NotConfirmed: There is a login, and the user does not want another one.
    """
    given = _given(call)
    if not (call.args.device or call.args.web or call.prompts.interactive):
        raise NeedsAnswer("How do you want to log in?", flag="--device or --web")
    store = call.store()
    _agree(call, store=store, given=given)
    api_key, vault = log_in(call, store=store, web=call.args.web)
    call.print_notices()
    _report(call, api_key, vault=vault, given=given)
    return 0


def _given(call: CommandContext) -> str | None:
    """Return the variable or file that supplies an API key for the service, or None; say so."""
    from conda_token_plugin.service.credentials import key_of_environment

    found, opened = key_of_environment(call.settings), call.settings.site.key_prefix
    if found is None:
        return None
    channels = f" and the channels below {opened}/" if opened else ""
    call.printer.say(
        f"{found[0]} supplies an API key already, for {call.settings.service_url}{channels}."
    )
    return found[0]


def _agree(call: CommandContext, *, store: Store, given: str | None) -> None:
    """Ask at a terminal before another API key is created; the service keeps the previous one."""
    service = call.settings.service_url
    if not call.prompts.interactive:
        return
    if not given and store.login(service) is None:
        return
    if not given:
        call.printer.say(f"You are logged in to {service}. To see as whom: conda token whoami")
    call.prompts.confirm("Create another API key?")


def _report(call: CommandContext, api_key: Secret, *, vault: str, given: str | None) -> None:
    identity, expires = _who(call, api_key), expiry_of(api_key)
    name = (identity.username or identity.email) if identity else ""
    until = f", valid until {expires:%Y-%m-%d}" if expires else ""
    call.printer.say(f"✓ Logged in{f' as {name}' if name else ''} to {call.settings.service_url}")
    call.printer.say(f"The API key is stored {STORED_IN[vault]}{until}.")
    opened = None if call.args.no_channels else call.settings.site.key_prefix
    if given:
        call.printer.warn(f"The API key from {given} has precedence over this login.")
    elif opened:
        call.printer.say(
            f"conda sends it to {opened}/ where no token is stored for the channel. "
            "To use it for the service only, run: conda token login --no-channels"
        )
    elif call.args.no_channels:
        call.printer.say("It is sent to the service only, and to no channel.")
    value: dict[str, Any] = {
        "service": call.settings.service_url,
        "username": name or None,
        "expires": expires.isoformat() if expires else None,
        "stored_in": vault,
        "channels": opened,
    }
    call.printer.data(value)


def _who(call: CommandContext, api_key: Secret) -> Identity | None:
    """Return who logged in, or `None` if the service does not respond; the login is stored."""
    from conda_token_plugin.service.client import Service

    try:
        return Service(call.settings.service_url, api_key=api_key, source=STORED_LOGIN).whoami()
    except (ServiceError, LoginError, OrganizationError) as error:
        call.printer.warn(f"The service did not say who you are: {error.what}")
        return None

"""Forget the login that `conda token login` made.

Examples:
  conda token logout
  conda token logout --json

The tokens stay and go on working; `conda token remove` forgets those. The API key
itself is not revoked, as the service offers no way to. A login of anaconda-auth is
left alone: `anaconda logout` forgets that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors.login import LoginError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store import Store


def configure(parser: ArgumentParser) -> None:
    """It has no options of its own."""


def run(call: CommandContext) -> int:
    """Forget it; 0 also when there was none. Says what is still there."""
    store = call.store()
    service = call.settings.service_url
    forgotten = store.remove_login(service)
    call.say_notices()
    call.printer.say(
        f"Logged out of {service}." if forgotten else f"There was no login to {service} of ours."
    )
    left = _left(call, store=store)
    if left:
        call.printer.say(f"Still there and used from now on: {left}.")
    call.printer.data({"service": service, "logged_out": forgotten, "still_there": left or None})
    return 0


def _left(call: CommandContext, *, store: Store) -> str:
    """Where the next API key would come from; empty when from nowhere."""
    from conda_token_plugin.service.credentials import find_api_key

    try:
        return find_api_key(call.settings, store)[1]
    except LoginError:  # none, or none that has not expired
        return ""

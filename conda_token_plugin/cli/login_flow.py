"""The user's login: the one that exists, or a new one where a person can make it."""

from __future__ import annotations

import os
import select
import sys
from time import monotonic, sleep
from typing import TYPE_CHECKING

from conda_token_plugin.errors.login import LoginRefused, NotLoggedIn
from conda_token_plugin.errors.outcome import Interrupted
from conda_token_plugin.operations.exported_copies import refresh_exports
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.tokens.api_key import channel_credential

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.login.device import DeviceCode
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.secret import Secret

STORED_LOGIN = "conda token login"
"""The name of the login that this command stores, as a source of API keys."""


def service(call: CommandContext) -> Service:
    """Return the service with the user's login. At a terminal, log in if there is none.

    Raises:
        NotLoggedIn, LoginRefused: There is no usable login, and no terminal to log in at.
        LoginIncomplete, ServiceError, StoreError: The login failed.
    """
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.credentials import key_of_environment, logged_in

    store = call.store()
    try:
        found = logged_in(call.settings, store, notice=call.printer.say)
        if call.prompts.interactive and found.expires and found.expires <= call.now:
            found.whoami()  # the local clock may be wrong, so the service decides
    except (NotLoggedIn, LoginRefused) as error:  # none, or expired
        # The environment has precedence over any login, so that a new one would not be used.
        if not call.prompts.interactive or key_of_environment(call.settings) is not None:
            raise
        call.printer.say(error.what)
        api_key, _ = log_in(call, store=store, web=False)
        call.logged_in = True
        return Service(call.settings.service_url, api_key=api_key, source=STORED_LOGIN)
    return found


def log_in(call: CommandContext, *, store: Store, web: bool) -> tuple[Secret, str]:
    """Log in, and store the API key, which is sent to channels unless ``--no-channels`` is given.

    Returns:
        The API key, and the vault that it is stored in.

    Raises:
        StoreError: The API key cannot be stored. The user was not asked to log in.
        ConfigurationError: The drop-in cannot be written. The login is stored.
        LoginIncomplete, ServiceError: The login failed.
        Interrupted: Ctrl-C.
    """
    from conda_token_plugin.service.login.flow import Login

    store.check_writable()
    key = _EnterKey(call)
    login = Login(
        call.settings.service_url,
        client_id=call.settings.client_id,
        sleep=key.wait,
        clock=monotonic,
    )
    try:
        if web:
            api_key = login.by_browser(visit=lambda address: _visit(call, address))
        else:
            api_key = login.by_device(show=lambda code: _show(call, code, key=key))
    except KeyboardInterrupt:  # Ctrl-C while waiting
        raise Interrupted("Interrupted: you are not logged in, and nothing was changed.") from None
    site = call.settings.site
    keep = not getattr(call.args, "no_channels", False) and site.key_prefix is not None
    opens = channel_credential(api_key, prefix=site.key_prefix or "") if keep else None
    vault = store.set_login(site.service_url, api_key, opens=opens)
    update_dropin(call.settings.condarc, store=store)
    if opens:
        call.report_copies(refresh_exports(opens, api_key, settings=call.settings))
    return api_key, vault


class _EnterKey:
    """Opens the browser when the user presses Enter during a login with a code.

    The key is read between two requests, so that the login also succeeds if the user never
    presses it and confirms the code on another machine.
    """

    def __init__(self, call: CommandContext) -> None:
        """Watch the key only at a terminal of a machine that can show a browser."""
        self.watched = call.prompts.interactive and _shows_browser(call.settings.variables)
        self.address = ""

    def wait(self, seconds: float) -> None:
        """Wait for `seconds`; open the browser if Enter is pressed meanwhile."""
        end = monotonic() + seconds
        while self.watched and select.select([sys.stdin], [], [], max(0.0, end - monotonic()))[0]:
            self.watched = False
            if sys.stdin.readline():  # it is empty after Ctrl-D
                _open(self.address)
        if (left := end - monotonic()) > 0:
            sleep(left)


def _shows_browser(variables: Mapping[str, str]) -> bool:
    """Return whether this machine can show a browser; `select` cannot watch keys on Windows."""
    named = any(variables.get(name) for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"))
    return os.name != "nt" and (named or sys.platform == "darwin")


def _open(address: str) -> None:
    import webbrowser

    webbrowser.open(address)


def _show(call: CommandContext, code: DeviceCode, *, key: _EnterKey) -> None:
    """Show the address and the code. Also with ``--quiet``, because the login needs them."""
    key.address = code.whole_address
    enter = "Press Enter to open it in the browser of this machine.\n" if key.watched else ""
    call.printer.ask(
        "Open this address in any browser, on any machine:\n"
        f"    {code.whole_address}\n"
        f"It must show, or ask for, this code:\n    {code.user_code}\n{enter}"
        f"Waiting for at most {code.lifetime / 60:.0f} minutes; Ctrl-C cancels.\n"
    )


def _visit(call: CommandContext, address: str) -> None:
    call.printer.ask(
        "Log in with the browser of this machine. If it does not open by itself, open:\n"
        f"    {address}\n"
        "Waiting for at most 5 minutes; Ctrl-C cancels.\n"
    )
    _open(address)

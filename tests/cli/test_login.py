"""`login` and the login of `install`: with a code, and with the browser of this machine."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import API_KEY
from tests.cli.conftest import SERVICE_FAULTS
from tests.support.terminal import CTRL_C, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox
    from tests.cli.conftest import Shell

CODE = re.compile(r"[A-Z]{4}-[A-Z]{4}")


class Friend:
    """A user at another device who decides as soon as a code is pending."""

    def __init__(self, sandbox: Sandbox, user: str) -> None:
        self._sandbox, self._user = sandbox, user
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.01):
            for waiting in self._sandbox.login.devices.waiting():
                if not waiting.user and not waiting.denied:
                    self._sandbox.login.decide(waiting.user_code, self._user)

    def leave(self) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, shell: Shell) -> None:
    """Make waits take no time: sleeping advances the clocks of the command and of the sandbox."""
    passed = [0.0]

    def sleep(seconds: float) -> None:
        passed[0] += seconds
        shell.sandbox.clock.advance(timedelta(seconds=seconds))
        threading.Event().wait(0.03)  # for the friend, who looks every 0.01 seconds

    monkeypatch.setattr("conda_token_plugin.cli.login_flow.sleep", sleep)
    monkeypatch.setattr("conda_token_plugin.cli.login_flow.monotonic", lambda: passed[0])


@pytest.fixture
def friend(request: pytest.FixtureRequest, shell: Shell) -> Iterator[Friend]:
    made = Friend(shell.sandbox, getattr(request, "param", "grace"))
    yield made
    made.leave()


def logged_in(shell: Shell) -> str:
    return str(shell("whoami", "--json").json["username"])


# -- with a code ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("quick", "friend")
def test_login_with_a_code_is_stored_and_used(logged_out: Shell) -> None:
    ran = logged_out("login", "--device").well()
    assert CODE.search(ran.err)
    assert f"{logged_out.sandbox.service}/device?user_code=" in ran.err
    assert "as grace" in ran.err
    assert ran.out == ""
    assert logged_in(logged_out) == "grace"
    assert logged_out("install", "--yes").code == 0


@pytest.mark.usefixtures("quick", "friend")
@pytest.mark.parametrize("flags", [("--json",), ("--quiet",), ("--json", "--quiet")])
def test_login_shows_the_code_with_every_flag(logged_out: Shell, flags: tuple[str, ...]) -> None:
    ran = logged_out("login", "--device", *flags).well()
    assert CODE.search(ran.err)
    if "--json" in flags:
        assert ran.json["username"] == "grace"
        assert ran.json["stored_in"] == "file"


@pytest.mark.usefixtures("quick", "friend")
def test_neither_key_nor_access_token_is_printed(logged_out: Shell) -> None:
    ran = logged_out("login", "--device", "--json")
    credentials = logged_out.sandbox.world.credentials
    for value in (*credentials.api_keys, *credentials.access_tokens):
        assert value[-20:] not in ran.out + ran.err


@pytest.mark.usefixtures("quick", "friend")
@pytest.mark.parametrize("friend", [""], indirect=True)
def test_denied_login_changes_nothing(logged_out: Shell) -> None:
    logged_out("login", "--device").failed(3, "was denied in the browser")
    assert logged_out("whoami").code == 3


@pytest.mark.usefixtures("quick")
def test_unfinished_login_ends_when_the_code_expires(logged_out: Shell) -> None:
    logged_out("login", "--device").failed(3, "its code has expired")


@pytest.mark.usefixtures("quick", "friend")
def test_new_login_replaces_the_former_one(logged_out: Shell, friend: Friend) -> None:
    logged_out("login", "--device")
    friend.leave()
    other = Friend(logged_out.sandbox, "ada")
    assert logged_out("login", "--device").code == 0
    other.leave()
    assert logged_in(logged_out) == "ada"


# -- with the browser of this machine ------------------------------------------------------------


def test_login_with_the_browser_is_stored_and_used(logged_out: Shell, browser: list[str]) -> None:
    ran = logged_out("login", "--web", "--json").well()
    assert browser[0] in ran.err
    assert ran.json["username"] == "ada"
    assert logged_in(logged_out) == "ada"


@pytest.mark.usefixtures("browser")
def test_login_denied_in_the_browser_changes_nothing(logged_out: Shell) -> None:
    logged_out.sandbox.login.seat_at_browser("")
    logged_out("login", "--web").failed(3, "was denied in the browser")


# -- without a terminal, and with an unusable store ------------------------------------------------


def test_login_without_a_terminal_names_the_flags(logged_out: Shell) -> None:
    logged_out("login").failed(2, "--device or --web")
    assert len(logged_out.sandbox.requests) == 0


def test_login_options_exclude_each_other(logged_out: Shell) -> None:
    assert logged_out("login", "--web", "--device").code == 2


def test_login_makes_no_request_if_the_store_is_not_writable(logged_out: Shell) -> None:
    blocked = logged_out.home / "blocked"
    blocked.write_text("")
    logged_out.set("CONDA_TOKEN_HOME", str(blocked / "store"))
    logged_out("login", "--device").failed(6, str(blocked))
    assert len(logged_out.sandbox.requests) == 0


@pytest.mark.usefixtures("browser")
def test_login_is_stored_if_the_service_does_not_name_the_user(logged_out: Shell) -> None:
    logged_out.sandbox.fail_next("whoami", status=500)
    ran = logged_out("login", "--web", "--json").well()
    assert ran.json["username"] is None
    assert "did not say who you are" in ran.err
    assert logged_in(logged_out) == "ada"


@pytest.mark.usefixtures("browser")
def test_login_names_the_variable_that_has_precedence(shell: Shell) -> None:
    shell.log_in("grace")
    ran = shell("login", "--web").well()
    assert f"warning: The API key from {API_KEY} has precedence over this login." in ran.err
    assert logged_in(shell) == "grace"


@pytest.mark.parametrize("fault", [{"status": 404, "body": b"{}"}, *SERVICE_FAULTS], ids=str)
def test_failing_service_is_one_line_and_changes_nothing(
    logged_out: Shell, fault: dict[str, object]
) -> None:
    logged_out.sandbox.fail_next("openid-configuration", times=9, **fault)
    logged_out("login", "--device").failed(5, logged_out.sandbox.service)
    assert logged_out("whoami").code == 3


# -- on a terminal -------------------------------------------------------------------------------


def approve(terminal: Terminal, sandbox: Sandbox, user: str) -> None:
    terminal.wait_for("Ctrl-C cancels")
    found = CODE.findall(terminal.seen)
    sandbox.login.decide(found[-1], user)


def test_login_on_a_terminal_shows_a_code(logged_out: Shell) -> None:
    logged_out.sandbox.login.devices.interval = timedelta(seconds=1)
    terminal = logged_out.at_terminal("login")
    approve(terminal, logged_out.sandbox, "grace")
    terminal.wait_for("Logged in")
    assert terminal.finish() == 0


def test_enter_opens_the_browser_and_the_login_goes_on(logged_out: Shell, tmp_path: Path) -> None:
    logged_out.sandbox.login.devices.interval = timedelta(seconds=1)
    visited = tmp_path / "visited"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {visited}\n')
    browser.chmod(0o755)
    terminal = Terminal("login", environment={**os.environ, "BROWSER": f"{browser} %s"})
    terminal.wait_for("Press Enter to open it")
    terminal.wait_for("Ctrl-C cancels")
    terminal.type("\n")
    while not visited.exists() or not visited.read_text():
        threading.Event().wait(0.05)  # ended by the time limit of the test
    (code,) = set(CODE.findall(terminal.seen))
    assert visited.read_text() == f"{logged_out.sandbox.service}/device?user_code={code}"
    logged_out.sandbox.login.decide(code, "grace")
    assert terminal.finish() == 0
    assert "✓ Logged in as grace" in terminal.seen


def test_login_without_a_display_offers_no_browser(logged_out: Shell) -> None:
    assert logged_out.home
    names = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    variables = {name: value for name, value in os.environ.items() if name not in names}
    terminal = Terminal("login", environment=variables)
    terminal.wait_for("Ctrl-C cancels")
    terminal.type(CTRL_C)
    assert terminal.finish() == 130
    assert ("Press Enter" in terminal.seen) is (sys.platform == "darwin")


def test_install_on_a_terminal_logs_in_if_needed(logged_out: Shell) -> None:
    logged_out.sandbox.login.devices.interval = timedelta(seconds=1)
    terminal = logged_out.at_terminal("install", "--org", "acme")
    approve(terminal, logged_out.sandbox, "grace")
    terminal.wait_for("default channels? [y/N]")
    terminal.type("\n")
    assert terminal.finish() == 0
    assert logged_out.held()[0]["organization"] == "acme"


def test_install_without_a_terminal_does_not_log_in(logged_out: Shell) -> None:
    logged_out("install", "--org", "acme").failed(3, "login")
    assert len(logged_out.sandbox.requests) == 0


def test_interrupted_login_reports_that_nothing_was_changed(logged_out: Shell) -> None:
    terminal = logged_out.at_terminal("login")
    terminal.wait_for("Ctrl-C cancels")
    terminal.type(CTRL_C)
    assert terminal.finish() == 130
    assert "you are not logged in, and nothing was changed" in terminal.seen
    assert "Traceback" not in terminal.seen


def test_login_error_with_json_is_a_document(logged_out: Shell) -> None:
    logged_out.sandbox.fail_next("openid-configuration", status=404)
    ran = logged_out("login", "--device", "--json")
    assert json.loads(ran.out)["error"]["kind"] == "UnexpectedResponse"


def test_login_asks_before_it_makes_another_api_key(logged_out: Shell, browser: list[str]) -> None:
    logged_out("login", "--web")
    visits = len(browser)
    terminal = logged_out.at_terminal("login")
    terminal.wait_for("Create another API key? [y/N]")
    assert f"You are logged in to {logged_out.sandbox.service}." in terminal.seen
    terminal.type("n\n")
    assert terminal.finish() == 8
    assert len(browser) == visits
    assert logged_in(logged_out) == "ada"

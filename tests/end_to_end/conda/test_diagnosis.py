"""A refusal is explained: in conda's own error, in one line, with the command to run next."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import TokenKind
from tests.support.conda_version import conda_version
from tests.support.stored_screens import COLUMNS, LINES, compare, screen
from tests.support.stored_tokens import hold, put, supply
from tests.support.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end.conda.report import Table
    from tests.support.machine import Machine, Ran

pytestmark = pytest.mark.conda

HINTS = conda_version() >= (26, 7)
"""Whether this conda asks plugins for hints; older ones are told through the answer's body."""
NOW = datetime.now(timezone.utc)
asks_plugins = pytest.mark.skipif(
    not HINTS, reason="before 26.7, conda asks no plugin about a channel without a handler"
)


def no_token(machine: Machine) -> str:
    hold(machine, "acme", shared=True)
    return "No token is stored for the organization 'globex'"


def expired(machine: Machine) -> str:
    ended = NOW - timedelta(days=40)
    hold(machine, "acme", expires=ended, checked=NOW)
    return f"expired on {ended:%Y-%m-%d}"


def reissued(machine: Machine) -> str:
    machine.install("acme")
    (token,) = user_store(machine.settings).tokens()
    machine.sandbox.world.issue("acme", "ada")
    return f"another one was issued elsewhere after {token.issued:%Y-%m-%d}"


def not_for_this(machine: Machine) -> str:
    token = supply(machine, "globex", value=hold(machine, "acme"))
    return f"…{token[-4:]} of globex from ANACONDA_REPO_TOKEN_GLOBEX is valid, but not for this"


def intercepted(machine: Machine) -> str:
    hold(machine, "acme")
    headers = (("Content-Type", "text/html"), ("Via", "1.1 gate.example (squid/6.6)"))
    machine.sandbox.fail_next("/repo/", times=99, status=403, body=b"<html>", headers=headers)
    return "A proxy or firewall (squid) responded instead of the repository"


def refused(machine: Machine) -> str:
    unknown = "unknown-site-token-0123456789"
    scope = [machine.sandbox.url_of("acme")]
    put(machine, unknown, organization="acme", scope=scope, kind=TokenKind.SITE, issued=NOW)
    return f"The server rejected the token …{unknown[-4:]} of acme from the file store"


@pytest.mark.parametrize(
    ("prepare", "organization", "command"),
    [
        pytest.param(no_token, "globex", "install --org globex", marks=asks_plugins),
        (expired, "acme", "install --org acme"),
        (reissued, "acme", "install --org acme"),
        (not_for_this, "globex", ""),
        (intercepted, "acme", ""),
        (refused, "acme", "status acme"),
    ],
)
def test_refusal_is_explained_with_its_reason_and_the_next_command(
    machine: Machine,
    table: Table,
    prepare: Callable[[Machine], str],
    organization: str,
    command: str,
) -> None:
    reason = prepare(machine)

    said = _explained(machine, organization, code=prepare.__name__, table=table)

    assert reason in said
    assert f"Run: conda token {command}" in said or not command


def test_token_known_to_be_revoked_is_not_sent_again(machine: Machine) -> None:
    machine.install("acme")
    _log_in(machine)
    machine.sandbox.world.issue("acme", "ada")
    _fails(machine, "acme", "--json")
    machine.sandbox.requests.clear()

    _fails(machine, "acme", "--json")

    assert {one.authorization for one in machine.sandbox.requests} == {""}


@asks_plugins
def test_refusal_of_credentials_in_the_url_names_them_as_the_reason(
    machine: Machine, table: Table
) -> None:
    hold(machine, "acme")
    channel = machine.sandbox.url_of("acme", "main").replace("/repo/", "/t/an-old-token-1/repo/")

    said = _fails(machine, channel, "--json").json["guidance"]["hints"][0]["text"]

    assert "The channel's URL contains credentials, so no stored token was sent" in said
    assert "an-old-token" not in said
    table.add("diagnosis", solver="-", channel="/t/…/ in the URL", saw=said)


def test_refusal_by_an_uncovered_channel_is_not_explained(machine: Machine) -> None:
    hold(machine, "acme")
    machine.variables["CONDA_TOKEN_REPO_URL"] = "https://repo.invalid/repo/"

    assert "conda token" not in _fails(machine, machine.sandbox.url_of("globex", "main")).said


def test_explanation_is_printed_once(machine: Machine, solver: str) -> None:
    machine.variables["CONDA_SOLVER"] = solver
    hold(machine, "acme", expires=NOW - timedelta(days=40), checked=NOW)

    said = _fails(machine, "acme").said

    assert said.count("conda token install --org acme") == 1
    assert "HTTP 403" in said


def test_explanation_of_several_refused_packages_is_printed_once(machine: Machine) -> None:
    channel = machine.sandbox.url_of("acme", "public-index")
    explicit = [f"{channel}/noarch/acme-public-{end}" for end in ("1.0-0.conda", "0.9-0.tar.bz2")]
    hold(machine, "acme", shared=True, expires=NOW - timedelta(days=40), checked=NOW)

    said = machine.create(*explicit).badly().said

    assert "403" in said
    if HINTS:
        assert said.count("conda token install --org acme") == 1


def test_channel_without_an_entry_is_named_with_the_entry_to_add(
    machine: Machine,
) -> None:
    """A repository of one's own with a variable, and no entry in `channel_settings`."""
    supply(machine, "acme")
    machine.dropin.unlink()
    channel = machine.sandbox.url_of("acme", "main")
    entry = f'Add to your condarc: channel_settings: [{{channel: "{channel}/*", '

    which = machine.conda("token", "which", channel).well().out
    doctor = machine.conda("doctor", "--verbose").said
    refused = machine.create(*machine.only(channel), "acme-hello").badly().said

    assert "does not ask this plugin for this URL" in which
    assert entry in which
    assert "does not ask this plugin" in doctor
    if HINTS:  # an older conda asks only the handler of the channel
        assert "was not sent: conda is not configured to ask this plugin" in " ".join(
            refused.split()
        )
    machine.condarc(f'channel_settings: [{{channel: "{channel}/*", auth: conda-token-plugin}}]\n')
    machine.create(*machine.only(channel), "acme-hello").well()


@asks_plugins
def test_screen_of_a_refusal_equals_the_stored_one(machine: Machine) -> None:
    hold(machine, "acme", shared=True)
    channel = machine.sandbox.url_of("globex", "main")
    words = ("install", "-y", "-p", str(machine.prefix), "--override-channels", "-c", channel, "x")
    machine.create("--offline").well()
    variables = {**machine.variables, "TERM": "xterm", "CONDA_SUBDIR": "linux-64"}
    terminal = Terminal(*words, environment=variables, size=(LINES, COLUMNS), module="conda")
    compare("refusal", screen(terminal, code=1))


def _explained(machine: Machine, organization: str, *, code: str, table: Table) -> str:
    """The one line that conda's ``--json`` error carries."""
    _log_in(machine)
    error = _fails(machine, organization, "--json").json
    if HINTS:
        (hint,) = error["guidance"]["hints"]
        assert hint["hint_code"] == f"conda_token_{code}"
        text = hint["text"]
    else:
        text = error["message"]
    table.add("diagnosis", solver="-", channel=code, saw=text.splitlines()[-1])
    return str(text)


def _log_in(machine: Machine) -> None:
    """Store a login for the service only, so that a refused request is not repeated with it."""
    key = Secret(machine.sandbox.world.api_key("ada"))
    user_store(machine.settings).set_login(machine.sandbox.service, key)


def _fails(machine: Machine, channel: str, *flags: str) -> Ran:
    url = channel if "://" in channel else machine.sandbox.url_of(channel, "main")
    return machine.create(*flags, *machine.only(url), "anything").badly()

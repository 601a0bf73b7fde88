"""A refusal is explained: in conda's own error, in one line, with the command to run next."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import TokenKind
from tests.support.conda_version import conda_version
from tests.support.machine import Machine
from tests.support.stored_tokens import hold, put, supply

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.sandbox import Sandbox
    from tests.end_to_end.conda.report import Table
    from tests.support.machine import Ran

pytestmark = pytest.mark.conda

HINTS = conda_version() >= (26, 7)
"""Whether this conda asks plugins for hints; older ones are told through the answer's body."""
NOW = datetime.now(timezone.utc)


def test_refusal_without_a_token_names_the_organization(machine: Machine, table: Table) -> None:
    if not HINTS:
        pytest.skip("before 26.7, conda asks nobody about a channel that no handler is set for")
    hold(machine, "acme", shared=True)

    said = _explained(machine, "globex", code="no_token", table=table)

    assert "No token is stored for the organization 'globex'" in said
    assert "Run: conda token install --org globex" in said


def test_refusal_of_an_expired_token_names_the_date(machine: Machine, table: Table) -> None:
    hold(machine, "acme", expires=NOW - timedelta(days=40), checked=NOW)

    said = _explained(machine, "acme", code="expired", table=table)

    assert f"expired on {NOW - timedelta(days=40):%Y-%m-%d}" in said
    assert "Run: conda token install --org acme" in said
    assert {one.authorization for one in machine.sandbox.requests} == {""}


def test_refusal_of_a_reissued_token_says_so(machine: Machine, table: Table) -> None:
    machine.install("acme")
    machine.sandbox.world.issue("acme", "ada")

    said = _explained(machine, "acme", code="reissued", table=table)

    assert f"another one was issued elsewhere after {NOW:%Y-%m-%d}" in said
    assert "Run: conda token install --org acme" in said


def test_token_known_to_be_revoked_is_not_sent_again(machine: Machine) -> None:
    machine.install("acme")
    _log_in(machine)
    machine.sandbox.world.issue("acme", "ada")
    _fails(machine, "acme", "--json")
    machine.sandbox.requests.clear()

    _fails(machine, "acme", "--json")

    assert {one.authorization for one in machine.sandbox.requests} == {""}


def test_refusal_after_the_seat_was_taken_away_says_so(own_machine: Machine, table: Table) -> None:
    own_machine.install("acme")
    own_machine.sandbox.world.take_seat("acme", "ada")

    said = _explained(own_machine, "acme", code="revoked", table=table)

    assert "or your seat was removed" in said


def test_refusal_with_no_seat_from_the_service_says_so(machine: Machine, table: Table) -> None:
    machine.install("acme")
    machine.sandbox.world.issue("acme", "ada")
    says = {"status": 403, "body": b'{"error": {"message": "a seat is required"}}'}
    machine.sandbox.fail_next("current-token", method="GET", times=9, **says)

    said = _explained(machine, "acme", code="no_seat", table=table)

    assert "was rejected: you no longer have a seat in the organization" in said


def test_refusal_after_a_cancelled_subscription_says_so(own_machine: Machine, table: Table) -> None:
    own_machine.install("acme")
    own_machine.sandbox.world.cancel("acme")

    said = _explained(own_machine, "acme", code="cancelled", table=table)

    assert "When it is renewed, run: conda token sync acme" in said


def test_refusal_after_an_ended_subscription_says_so(own_machine: Machine, table: Table) -> None:
    own_machine.install("acme")
    ended = NOW - timedelta(days=45)
    own_machine.sandbox.world.end("acme", on=ended)

    said = _explained(own_machine, "acme", code="ended", table=table)

    assert f"subscription, which ended on {ended:%Y-%m-%d}" in said


def test_refusal_of_a_token_of_another_organization_says_so(machine: Machine, table: Table) -> None:
    token = supply(machine, "globex", value=hold(machine, "acme"))

    said = _explained(machine, "globex", code="not_for_this", table=table)

    assert "is valid, but not for this organization or channel" in said
    assert f"…{token[-4:]}" in said
    assert "from ANACONDA_REPO_TOKEN_GLOBEX" in said


def test_refusal_by_a_firewall_says_so(machine: Machine, table: Table) -> None:
    hold(machine, "acme")
    headers = (("Content-Type", "text/html"), ("Via", "1.1 gate.example (squid/6.6)"))
    machine.sandbox.fail_next("/repo/", times=99, status=403, body=b"<html>", headers=headers)

    said = _explained(machine, "acme", code="intercepted", table=table)

    assert "A proxy or firewall (squid) answered instead of the repository" in said


def test_refusal_of_a_site_token_without_a_known_reason_says_so(
    machine: Machine, table: Table
) -> None:
    scope = [machine.sandbox.url_of("acme")]
    dead = "dead-site-token-0123456789"
    put(machine, dead, organization="acme", scope=scope, kind=TokenKind.SITE, issued=NOW)

    said = _explained(machine, "acme", code="refused", table=table)

    assert "It was never verified, so it may be wrong, revoked or expired." in said
    assert f"The server rejected the token …{dead[-4:]} of acme from the file store" in said
    assert "Run: conda token status acme" in said


def test_refusal_of_credentials_in_the_url_says_so(machine: Machine, table: Table) -> None:
    if not HINTS:
        pytest.skip("before 26.7, conda asks nobody about a channel that no handler is set for")
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


@pytest.fixture
def own_machine(tmp_path: Path, own_sandbox: Sandbox) -> Machine:
    """A machine with a sandbox that no other test uses."""
    return Machine(tmp_path / "own", own_sandbox)


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
    return machine.create(*flags, "--override-channels", "-c", url, "anything").badly()

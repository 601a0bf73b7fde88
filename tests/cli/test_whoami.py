"""`whoami`: the user, where the login is from, and the organizations."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import API_KEY
from tests.cli.conftest import SERVICE_FAULTS

if TYPE_CHECKING:
    from tests.cli.conftest import Shell


def test_whoami_names_the_user_the_source_and_the_organizations(shell: Shell) -> None:
    ran = shell("whoami").well()
    for word in ("ada", "ada@example.invalid", shell.sandbox.service, API_KEY, "acme", "globex"):
        assert word in ran.out
    assert "Acme Corporation" in ran.out


def test_whoami_json_has_the_same_facts(shell: Shell) -> None:
    value = shell("whoami", "--json").json
    ends = shell.sandbox.world.organization("acme").subscription.ends
    assert (value["username"], value["source"]) == ("ada", API_KEY)
    assert value["organizations"][0] == {
        "organization": "acme",
        "title": "Acme Corporation",
        "role": "member",
        "subscription_ends": ends.isoformat(),
    }


def test_whoami_shows_a_user_without_organizations(shell: Shell) -> None:
    shell.log_in("nobody")
    ran = shell("whoami").well()
    assert ran.out.startswith("nobody")


def test_whoami_without_a_login_names_the_command_to_log_in(shell: Shell) -> None:
    shell.unset(API_KEY)
    shell("whoami").failed(3, "conda-token-plugin login")
    assert len(shell.sandbox.requests) == 0


def test_whoami_names_the_source_of_a_rejected_key(shell: Shell) -> None:
    shell.set(API_KEY, "no-such-key-at-all")
    shell("whoami").failed(3, API_KEY)


def test_whoami_of_an_expired_key_is_refused(shell: Shell) -> None:
    shell.sandbox.clock.advance(timedelta(days=400))
    assert shell("whoami").code == 3


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        *(({"status": status}, 3) for status in (401, 403)),
        *(({"status": status}, 5) for status in (404, 409, 422)),
        *((fault, 5) for fault in SERVICE_FAULTS),
    ],
    ids=str,
)
def test_whoami_of_a_failing_service_is_one_line(
    shell: Shell, fault: dict[str, object], code: int
) -> None:
    shell.sandbox.fail_next("whoami", times=9, **fault)
    ran = shell("whoami")
    assert ran.code == code
    assert ran.line
    assert ran.out == ""

"""A local clock that is wrong is reported, and decides nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.settings import API_KEY, Settings
from conda_token_plugin.store import user_store

if TYPE_CHECKING:
    from tests.cli.conftest import Shell

REPORT = "The clock of this machine says "


@pytest.fixture(params=[400, -40], ids=["fast", "slow"])
def wrong(request: pytest.FixtureRequest, shell: Shell) -> Shell:
    """Return a shell on a machine whose clock is fast or slow by these days, with a token."""
    clock, world = shell.sandbox.clock, shell.sandbox.world
    clock.advance(timedelta(days=-request.param))
    world.renew("acme", until=clock.now() + timedelta(days=330, hours=12))
    shell.set(API_KEY, world.credentials.make_api_key(world.user("ada")).value)
    shell("install", "--org", "acme", "--yes").well()
    return shell


@pytest.mark.parametrize(
    "words",
    [
        ("whoami",),
        ("status",),
        ("sync",),
        ("renew", "acme"),
        ("install", "--org", "acme", "--reissue"),
        ("test", "CHANNEL"),
    ],
    ids=" ".join,
)
def test_command_that_asks_a_server_succeeds_and_reports_a_wrong_clock_once(
    wrong: Shell, words: tuple[str, ...]
) -> None:
    channel = wrong.sandbox.url_of("acme", "main")
    ran = wrong(*(word.replace("CHANNEL", channel) for word in words)).well()
    assert ran.err.count(REPORT) == 1


@pytest.mark.parametrize("words", [("status",), ("sync",), ("install", "--org", "acme")])
def test_days_left_are_counted_by_the_clock_of_the_server(
    wrong: Shell, words: tuple[str, ...]
) -> None:
    more = ("--reissue",) if "install" in words else ()
    found = wrong(*words, *more, "--json").well().json
    value = found[0] if isinstance(found, list) else found
    assert (value["state"], value["days_left"]) == ("valid", 330)


def test_expiry_that_install_and_renew_show_is_counted_by_the_clock_of_the_service(
    wrong: Shell,
) -> None:
    assert "(330 days left)" in wrong("install", "--org", "acme", "--reissue").well().err
    assert "(330 days left)" in wrong("renew", "acme").well().err


def test_working_token_is_not_reissued(wrong: Shell) -> None:
    before = wrong.issued("acme")
    store = user_store(Settings())
    (token,) = store.tokens()
    store.update(token._replace(expires=token.issued))
    wrong("install", "--org", "acme", "--if-missing").well()
    assert wrong.issued("acme") == before


def test_issued_token_has_the_time_of_the_service_and_is_sent(wrong: Shell) -> None:
    (token,) = user_store(Settings()).tokens()
    now = wrong.sandbox.clock.now()
    for moment in (token.issued, token.checked, token.verified):
        assert moment is not None
        assert abs(moment - now) < timedelta(minutes=10)
    assert "acme" in wrong("which", wrong.sandbox.url_of("acme", "main")).well().out


def test_key_that_has_expired_by_the_local_clock_needs_no_new_login(wrong: Shell) -> None:
    terminal = wrong.at_terminal("install", "--org", "acme", "--reissue")
    terminal.wait_for("default channels? [y/N]")
    terminal.type("\n")
    assert terminal.finish() == 0


def test_correct_clock_is_not_reported(acme: Shell) -> None:
    acme.sandbox.clock.advance(timedelta(hours=23))
    assert REPORT not in acme("status").well().err

"""Tokens from issue to expiry, with real commands against the sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from conda_token_plugin.settings import API_KEY, SERVICE_ACCOUNT

if TYPE_CHECKING:
    from tests.cli.conftest import Shell
    from tests.support.machine import Ran

DAY = timedelta(days=1)
YEAR = 365 * DAY


class Life:
    """Acme's subscription, and what happens to the token of one of its members."""

    def __init__(self, shell: Shell, user: str) -> None:
        self._shell, self._user = shell, user
        self._world = shell.sandbox.world

    def subscription_ends(self, days: int, *, synced: bool = False) -> None:
        """Let it end in a number of days; a sync extends the token as far."""
        self._world.renew("acme", self._world.clock.now() + days * DAY)
        if synced:
            self.sync_on_the_page()

    def sync_on_the_page(self) -> None:
        current = self._world.current("acme", self._user)
        assert current
        self._world.sync(current.id)

    def sync(self) -> str:
        (value,) = self._shell("sync", "--json").json
        return str(value["result"])

    def state(self) -> str:
        (value,) = self._shell.held()
        return str(value["state"])

    def works(self) -> bool:
        """Whether the repository takes it, as `status` finds out."""
        return self._shell("status").code == 0


def test_individual_token_from_issue_to_removal(shell: Shell) -> None:
    life = Life(shell, "ada")
    shell.install("acme")
    assert (life.sync(), life.state(), life.works()) == ("up to date", "valid", True)

    # The subscription nears its end.
    life.subscription_ends(5, synced=True)
    assert (life.sync(), life.state(), life.works()) == ("up to date", "expiring", True)
    assert shell("status", "--fail-within", "14d").code == 1

    # It is over, and thirty days of grace begin.
    life.subscription_ends(-10, synced=True)
    assert (life.sync(), life.state(), life.works()) == ("in grace", "grace", True)

    # A renewal extends no token: it has to be synchronized.
    life.subscription_ends(365)
    assert (life.sync(), life.works()) == ("can be extended", True)
    life.sync_on_the_page()
    assert (life.sync(), life.state(), life.works()) == ("extended", "valid", True)

    # On another machine it is reissued, which revokes this one at once.
    shell.sandbox.world.issue("acme", "ada")
    assert (life.works(), life.sync(), life.state()) == (False, "reissued elsewhere", "revoked")
    assert shell("install", "--org", "acme", "--if-missing", "--yes").code == 2
    ran = shell("install", "--org", "acme", "--reissue", "--json")
    assert (ran.code, ran.json["action"]) == (0, "replaced"), ran.err
    assert (life.sync(), life.works()) == ("up to date", True)

    # The seat is taken away: revoked, and no other is issued.
    shell.sandbox.world.take_seat("acme", "ada")
    assert (life.works(), life.sync(), life.state()) == (False, "revoked", "revoked")
    assert shell("install", "--org", "acme", "--yes").code == 4

    # With a seat again, and then the subscription is cancelled: it is revoked at once.
    shell.sandbox.world.give_seat("acme", "ada")
    shell.install("acme")
    shell.sandbox.world.cancel("acme")
    assert (life.works(), life.sync(), life.state()) == (False, "cancelled", "cancelled")
    shell("install", "--org", "acme", "--yes").failed(4, "was cancelled")

    assert shell("remove", "acme").code == 0
    assert shell.held() == []


def test_token_expires_with_a_subscription_that_is_not_renewed(shell: Shell) -> None:
    life = Life(shell, "ada")
    shell.install("acme")
    life.subscription_ends(-31, synced=False)
    assert (life.works(), life.sync(), life.state()) == (False, "ended", "expired")


def test_site_token_from_install_to_revocation(shell: Shell) -> None:
    def install(value: str) -> Ran:
        shell.set("GIVEN", value)
        return shell("install", "--site", "--org", "stark", "--token-env", "GIVEN")

    shell.unset(API_KEY)
    first = shell.sandbox.world.current("stark")
    assert first
    assert install(first.value).code == 0
    life = Life(shell, "")
    assert (life.sync(), life.state(), life.works()) == ("up to date", "unknown", True)

    # The administrator reissues it, and gives out the new one.
    second = shell.sandbox.world.issue("stark")
    assert (life.works(), life.sync(), life.state()) == (False, "revoked", "revoked")
    install(first.value).failed(5, "It was not stored")
    assert install(second.value).code == 0
    assert (life.sync(), life.works()) == ("up to date", True)

    shell.sandbox.world.cancel("stark")
    assert (life.works(), life.sync()) == (False, "revoked")


def test_service_account_extends_after_each_renewal(shell: Shell) -> None:
    life = Life(shell, "ada")
    shell.install("acme")
    for days in (400, 800):
        life.subscription_ends(days)
        user = shell.sandbox.world.user("admin")
        account = shell.sandbox.world.credentials.make_service_account(user)
        shell.set(SERVICE_ACCOUNT, account.value)
        assert life.sync() == "extended"
        assert shell("status", "acme", "--fail-within", f"{days - 2}d", "--offline").code == 0

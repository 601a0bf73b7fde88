"""`sync`: stored tokens compared with the service, and members' tokens extended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from conda_token_plugin.sandbox.http.messages import Ending
from conda_token_plugin.settings import API_KEY, SERVICE_ACCOUNT, Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import State, Token, TokenKind
from tests.cli.conftest import SERVICE_FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conda_token_plugin.sandbox.world.world import World
    from tests.cli.conftest import Shell
    from tests.support.machine import Ran

YEAR = timedelta(days=365)


def held() -> Token:
    (token,) = user_store(Settings()).tokens()
    return token


def result(ran: Ran) -> str:
    (value,) = ran.json
    return str(value["result"])


def synced(shell: Shell, *words: str) -> tuple[int, str]:
    """Return the exit code of `sync`, and the result for the only token."""
    ran = shell("sync", *words, "--json")
    return ran.code, result(ran)


def renew(shell: Shell) -> None:
    ends = shell.sandbox.world.organization("acme").subscription.ends
    shell.sandbox.world.renew("acme", ends + YEAR)


def sync_on_the_page(shell: Shell) -> None:
    current = shell.sandbox.world.current("acme", "ada")
    assert current
    shell.sandbox.world.sync(current.id)


# -- outcomes ------------------------------------------------------------------------------------


def test_unchanged_token_is_up_to_date_and_gets_its_id(acme: Shell) -> None:
    assert held().id == ""
    ran = acme("sync", "--json")
    current = acme.sandbox.world.current("acme", "ada")
    assert current
    assert (ran.code, result(ran)) == (0, "up to date")
    assert (held().id, held().subscription_ends) == (str(current.id), current.expires)


def test_first_sync_asks_the_repository_and_later_ones_compare_the_id(acme: Shell) -> None:
    acme("sync")
    assert len(acme.sandbox.requests) == 4
    acme.sandbox.requests.clear()
    acme("sync")
    assert [request.path.rpartition("/")[2] for request in acme.sandbox.requests] == [
        "current-token",
        "whoami",
    ]


def test_sync_after_a_renewal_names_the_page(acme: Shell) -> None:
    renew(acme)
    ran = acme("sync", "--json")
    assert (ran.code, result(ran)) == (0, "can be extended")
    assert f"{acme.sandbox.service}/app/organizations/acme" in ran.err


def test_sync_after_an_extension_stores_the_new_expiry(acme: Shell) -> None:
    renew(acme)
    acme("sync")
    before = held().expires
    sync_on_the_page(acme)
    assert result(acme("sync", "--json")) == "extended"
    assert before
    assert held().expires == before + YEAR
    assert result(acme("sync", "--json")) == "up to date"


@pytest.mark.parametrize("learnt", [True, False])
def test_sync_of_a_token_reissued_elsewhere_says_so(
    acme: Shell,
    learnt: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    if learnt:
        acme("sync")
    acme.sandbox.world.issue("acme", "ada")
    ran = acme("sync", "--json")
    assert (ran.code, result(ran)) == (1, "reissued elsewhere")
    assert held().state(now=acme.sandbox.clock.now()) is State.REVOKED
    assert "install --org acme" in ran.err


EVENTS: dict[str, tuple[Callable[[World], object], int, State, str]] = {
    "revoked": (lambda world: world.take_seat("acme", "ada"), 1, State.REVOKED, "is revoked"),
    "cancelled": (lambda world: world.cancel("acme"), 1, State.CANCELLED, "must be renewed"),
    "in grace": (lambda world: end(world, days=-10), 0, State.GRACE, "must be renewed"),
    "ended": (lambda world: end(world, days=-40), 1, State.EXPIRED, "must be renewed"),
}
"""By result: what happened, the exit code, the state of the stored token, and the message."""


def end(world: World, *, days: int) -> None:
    world.end("acme", world.clock.now() + timedelta(days=days))


@pytest.mark.parametrize("outcome", EVENTS)
def test_sync_says_and_stores_what_happened_to_the_token(acme: Shell, outcome: str) -> None:
    event, code, state, message = EVENTS[outcome]
    event(acme.sandbox.world)
    ran = acme("sync", "--json")
    assert (ran.code, result(ran)) == (code, outcome)
    assert held().state(now=acme.sandbox.clock.now()) is state
    assert message in ran.err


def test_grace_period_shows_the_days_left(acme: Shell) -> None:
    current = acme.sandbox.world.current("acme", "ada")
    assert current
    acme.sandbox.world.sync(current.id, acme.sandbox.clock.now() - timedelta(days=10))
    end(acme.sandbox.world, days=-10)
    ran = acme("sync").well()
    assert "19 days of grace left" in ran.out
    assert held().state(now=acme.sandbox.clock.now()) is State.GRACE


def test_revoked_token_that_works_again_is_usable_again(acme: Shell) -> None:
    acme.sandbox.fail_next("current-token", status=404)
    assert acme("sync").code == 1
    assert not held().state(now=acme.sandbox.clock.now()).usable
    assert acme("sync").code == 0
    assert held().state(now=acme.sandbox.clock.now()).usable


# -- site tokens ---------------------------------------------------------------------------------


@pytest.fixture
def site(shell: Shell) -> Shell:
    """A shell with the site token of stark and without a login."""
    token = shell.sandbox.world.current("stark")
    assert token
    shell.set("GIVEN", token.value)
    shell("install", "--site", "--org", "stark", "--token-env", "GIVEN").well()
    shell.unset(API_KEY)
    return shell


def test_sync_of_a_site_token_needs_no_login(site: Shell) -> None:
    assert synced(site) == (0, "up to date")


def test_sync_of_a_site_token_by_a_member_stores_the_subscription(site: Shell) -> None:
    site.log_in("admin")
    site("sync")
    assert held().subscription_ends == site.sandbox.world.organization("stark").subscription.ends


def test_sync_of_a_refused_site_token_is_revoked(site: Shell) -> None:
    site.sandbox.world.issue("stark")
    assert synced(site) == (1, "revoked")


def test_sync_without_a_known_channel_is_unknown(shell: Shell) -> None:
    other = f"{shell.sandbox.service}/elsewhere"
    token = Token(organization="corp", kind=TokenKind.SITE, scope=(other,))
    user_store(Settings()).add(token, Secret("t" * 20))
    assert synced(shell) == (0, "unknown")


# -- extending -----------------------------------------------------------------------------------


@pytest.fixture
def admin(acme: Shell) -> Shell:
    """A shell with an administrator's service account, after a renewal."""
    renew(acme)
    user = acme.sandbox.world.user("admin")
    acme.set(SERVICE_ACCOUNT, acme.sandbox.world.credentials.make_service_account(user).value)
    return acme


def test_sync_with_a_service_account_extends_the_token(admin: Shell) -> None:
    before = held().expires
    assert synced(admin) == (0, "extended")
    assert before
    assert held().expires == before + YEAR


def test_service_account_that_is_not_accepted_is_reported(acme: Shell) -> None:
    acme.set(SERVICE_ACCOUNT, "no-such-account-at-all")
    acme("sync").failed(3, SERVICE_ACCOUNT)


def test_expired_service_account_is_named(admin: Shell) -> None:
    admin.sandbox.clock.advance(timedelta(seconds=901))
    admin("sync").failed(3, SERVICE_ACCOUNT)


def test_service_account_of_another_user_is_reported_and_nothing_lost(admin: Shell) -> None:
    user = admin.sandbox.world.user("ada")
    account = admin.sandbox.world.credentials.make_service_account(user)
    admin.set(SERVICE_ACCOUNT, account.value)
    ran = admin("sync", "--json")
    assert (ran.code, result(ran)) == (4, "not asked")
    assert "refused to extend" in ran.json[0]["error"]


@pytest.fixture
def waits(acme: Shell, monkeypatch: pytest.MonkeyPatch) -> dict[int, Callable[[], object]]:
    """Waiting takes no time; what happens during the n-th wait."""
    meanwhile: dict[int, Callable[[], object]] = {}
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        meanwhile.get(len(slept), lambda: None)()

    monkeypatch.setattr("conda_token_plugin.operations.extend_token.sleep", sleep)
    monkeypatch.setattr("conda_token_plugin.operations.extend_token.monotonic", lambda: sum(slept))
    renew(acme)
    acme("sync")
    return meanwhile


def test_wait_ends_when_the_token_was_extended(
    acme: Shell, waits: dict[int, Callable[[], object]]
) -> None:
    waits[3] = lambda: sync_on_the_page(acme)
    assert synced(acme, "--wait") == (0, "extended")


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 429}, {"ending": Ending.RESET}], ids=str
)
def test_wait_continues_after_a_temporary_failure(
    acme: Shell, waits: dict[int, Callable[[], object]], fault: dict[str, object]
) -> None:
    waits[1] = lambda: acme.sandbox.fail_next("current-token", times=3, **fault)
    waits[3] = lambda: sync_on_the_page(acme)
    assert synced(acme, "--wait") == (0, "extended")


@pytest.mark.usefixtures("waits")
def test_wait_ends_at_its_deadline(acme: Shell) -> None:
    assert synced(acme, "--wait") == (0, "can be extended")


def test_ctrl_c_during_wait_keeps_the_stored_token(
    acme: Shell, waits: dict[int, Callable[[], object]]
) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    waits[2] = press
    acme("sync", "--wait").failed(130, "was not extended yet. It still works.")
    assert held().id


def test_wait_returns_at_once_if_nothing_can_be_extended(acme: Shell) -> None:
    assert acme("sync", "--wait").code == 0


def test_web_opens_the_page_only_if_a_token_can_be_extended(
    acme: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert acme("sync", "--web").code == 0
    assert opened == []
    renew(acme)
    acme("sync", "--web")
    assert opened == [f"{acme.sandbox.service}/app/organizations/acme"]


# -- several, and none ---------------------------------------------------------------------------


def test_sync_compares_all_tokens_unless_one_is_named(acme: Shell) -> None:
    acme.install("globex")
    assert len(acme("sync", "--json").json) == 2
    assert len(acme("sync", "--all", "--json").json) == 2
    for words in (["globex"], ["--org", "globex"]):
        (one,) = acme("sync", *words, "--json").json
        assert one["organization"] == "globex"


def test_failed_comparison_does_not_hide_the_others(acme: Shell) -> None:
    acme.install("globex")
    acme.sandbox.fail_next("acme/ce/current-token", times=9, status=500)
    ran = acme("sync", "--json").failed(5)
    assert {one["organization"]: one["result"] for one in ran.json} == {
        "acme": "not asked",
        "globex": "up to date",
    }
    assert "HTTP 500" in ran.err


def test_sync_names_an_organization_without_a_token(acme: Shell) -> None:
    acme("sync", "hooli").failed(1, "hooli")


def test_names_and_all_exclude_each_other(acme: Shell) -> None:
    assert acme("sync", "acme", "--all").code == 2


def test_sync_without_any_token_makes_no_request(shell: Shell) -> None:
    ran = shell("sync").well()
    assert "No token is stored" in ran.err
    assert len(shell.sandbox.requests) == 0


def test_sync_without_a_login_names_the_command_and_changes_nothing(acme: Shell) -> None:
    with acme.unchanged():
        acme.unset(API_KEY)
        acme("sync").failed(3, "login")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 401}, 3),
        ({"status": 409}, 4),
        ({"status": 422}, 4),
        *((fault, 5) for fault in SERVICE_FAULTS),
    ],
    ids=str,
)
def test_failing_service_sets_the_exit_code_and_changes_nothing(
    acme: Shell, fault: dict[str, object], code: int
) -> None:
    before = held()
    acme.sandbox.fail_next("current-token", times=9, **fault)
    ran = acme("sync")
    assert ran.code == code
    assert "Traceback" not in ran.err
    assert held() == before


def test_service_account_is_traded_for_a_token_that_extends(acme: Shell, tmp_path: Path) -> None:
    world = acme.sandbox.world
    account = world.credentials.register_client(world.user("admin"))
    secret = tmp_path / "secret"
    secret.write_text(f"{account.client_secret}\n")
    acme.set("ANACONDA_SERVICE_ACCOUNT_ID", account.client_id)
    acme.set("ANACONDA_SERVICE_ACCOUNT_SECRET_FILE", str(secret))
    world.renew("acme")

    ran = acme("sync").well()
    assert acme.issued("acme").expires == world.organization("acme").subscription.ends
    trades = [one for one in acme.sandbox.requests if one.path == "/api/iam/token"]
    assert len(trades) == 1
    assert account.client_secret not in ran.out + ran.err


def test_refused_service_account_names_both_variables(acme: Shell) -> None:
    acme.set("ANACONDA_SERVICE_ACCOUNT_ID", "no-such-account-1")
    acme.set("ANACONDA_SERVICE_ACCOUNT_SECRET", "wrong-secret-value-1")
    acme.sandbox.world.renew("acme")
    ran = acme("sync").failed(
        3, *("ANACONDA_SERVICE_ACCOUNT_ID", "ANACONDA_SERVICE_ACCOUNT_SECRET")
    )
    assert "wrong-secret-value-1" not in ran.out + ran.err


def test_half_a_service_account_names_the_missing_variable(acme: Shell) -> None:
    acme.set("ANACONDA_SERVICE_ACCOUNT_ID", "some-account-123")
    acme.sandbox.world.renew("acme")
    ran = acme("sync")
    assert "ANACONDA_SERVICE_ACCOUNT_SECRET is not set" in ran.err


@pytest.mark.parametrize(("months", "days"), [(None, 30), (0, 0), (2, 60)])
def test_grace_period_is_the_tolerance_that_the_service_says(
    acme: Shell, months: int | None, days: int
) -> None:
    world = acme.sandbox.world
    token = acme.issued("acme")
    world.sync(token.id, tolerance_months=months)
    acme("sync")
    (stored,) = user_store(Settings()).tokens()
    assert stored.subscription_ends is not None
    assert stored.usable_until == stored.subscription_ends + timedelta(days=days)


@pytest.fixture
def unattended(admin: Shell) -> Shell:
    """Return a shell without the user's login, with a service account, after a renewal."""
    sync = admin("sync")  # learns the id of the token
    assert sync.code == 0
    admin.sandbox.world.renew("acme", admin.issued("acme").expires + YEAR)
    admin.unset("ANACONDA_AUTH_API_KEY")
    admin.sandbox.requests.clear()
    return admin


def test_service_account_alone_extends_the_token_without_a_login(unattended: Shell) -> None:
    assert synced(unattended) == (0, "extended")
    assert held().expires == unattended.issued("acme").expires
    assert not any("/api/account" in one.path for one in unattended.sandbox.requests)


def test_service_account_is_used_in_place_of_a_login_that_is_refused(unattended: Shell) -> None:
    unattended.set(API_KEY, "a-key-that-was-never-issued")

    ran = unattended("sync", "--json")

    assert (ran.code, result(ran)) == (0, "extended")


def test_service_account_alone_reports_a_revoked_token(unattended: Shell) -> None:
    unattended.sandbox.world.revoke(unattended.issued("acme").id)

    assert synced(unattended) == (1, "revoked")


def test_token_that_the_service_account_cannot_see_is_an_error_and_unchanged(
    unattended: Shell,
) -> None:
    store = user_store(Settings())
    store.update(held()._replace(id="another-id"))
    before = held()

    ran = unattended("sync", "--json")

    assert (ran.code, [one["result"] for one in ran.json]) == (4, ["not asked", "extended"])
    assert "sees no member who has the token another-id" in ran.json[0]["error"]
    assert held() == before


def test_token_whose_id_is_not_known_is_not_reported_as_refused(unattended: Shell) -> None:
    user_store(Settings()).update(held()._replace(id=""))

    ran = unattended("sync", "acme")

    assert ran.code == 4
    assert "was not extended: its id is not known before the first sync with a login" in ran.err
    assert "Log in, then run: conda-token-plugin sync acme" in ran.err
    assert "HTTP" not in ran.err


def test_sync_without_login_and_service_account_names_the_login(unattended: Shell) -> None:
    unattended.unset(SERVICE_ACCOUNT)

    ran = unattended("sync").failed(3)
    assert "hint:  Run: conda-token-plugin login" in ran.err


# -- the tokens of the organization's members ----------------------------------------------------


@pytest.fixture
def account(shell: Shell) -> Shell:
    """Return a shell of an administrator who has a service account, no login and no token."""
    shell.unset(API_KEY)
    world = shell.sandbox.world
    shell.set(SERVICE_ACCOUNT, world.credentials.make_service_account(world.user("admin")).value)
    return shell


def members_of(ran: Ran) -> dict[str, str]:
    """Return the results for the tokens of members, by the name in their email addresses."""
    rows = [one for one in ran.json if one["member"]]
    return {one["member"].partition("@")[0]: one["result"] for one in rows}


def test_service_account_extends_the_tokens_of_all_members_once(account: Shell) -> None:
    world = account.sandbox.world
    ours = [world.issue("acme", name) for name in ("ada", "grace")]
    world.issue("globex", "mallory")
    ends = world.renew("acme", ours[0].expires + YEAR).ends

    ran = account("sync", "acme", "--json")

    assert (ran.code, members_of(ran)) == (0, {"ada": "extended", "grace": "extended"}), ran.err
    for name, before in zip(("ada", "grace"), ours, strict=True):
        after = account.issued("acme", name)
        assert (after.id, after.value, after.expires) == (before.id, before.value, ends)
        assert after.tolerance_months == 1  # 30 days, as before
    assert account.issued("globex", "mallory").expires < ends
    assert members_of(account("sync", "acme", "--json")) == dict.fromkeys(
        ("ada", "grace"), "up to date"
    )


def test_organization_whose_members_have_no_token_is_reported(account: Shell) -> None:
    ran = account("sync", "acme").well()
    assert "No other member of acme has a token." in ran.err


def test_table_names_the_members_and_no_token(account: Shell) -> None:
    token = account.sandbox.world.issue("acme", "grace")
    ran = account("sync", "--org", "acme").well()
    assert "grace@example.invalid" in ran.out
    assert token.value not in ran.out + ran.err


def test_members_are_extended_beside_the_stored_token_of_the_administrator(admin: Shell) -> None:
    world = admin.sandbox.world
    grace = world.issue("acme", "grace", until=admin.sandbox.clock.now() + timedelta(days=9))

    ran = admin("sync", "--json")

    assert (ran.code, members_of(ran)) == (0, {"grace": "extended"}), ran.err
    assert [one["result"] for one in ran.json if not one["member"]] == ["extended"]
    assert admin.issued("acme", "grace").expires > grace.expires


def test_token_that_expires_with_the_subscription_is_not_changed(admin: Shell) -> None:
    admin.sandbox.world.issue("acme", "grace", tolerance_months=3)
    ran = admin("sync", "--json")
    assert members_of(ran) == {"grace": "up to date"}
    assert admin.issued("acme", "grace").tolerance_months == 3


def test_stored_token_of_another_member_is_extended(acme: Shell) -> None:
    acme("sync")  # learns the id of the token, with the login of ada
    renew(acme)
    acme.log_in("admin")
    world = acme.sandbox.world
    acme.set(SERVICE_ACCOUNT, world.credentials.make_service_account(world.user("admin")).value)

    ran = acme("sync", "--json")

    assert (ran.code, result(ran)) == (0, "extended"), ran.err
    assert held().expires == acme.issued("acme").expires
    assert held().state(now=acme.sandbox.clock.now()) is State.VALID


def test_refused_member_does_not_hide_the_others(account: Shell) -> None:
    world = account.sandbox.world
    tokens = {name: world.issue("acme", name) for name in ("ada", "grace")}
    renew(account)
    user = world.user("ada").id
    account.sandbox.fail_next(f"{user}/token", method="PATCH", status=409)

    ran = account("sync", "acme", "--json")

    assert (ran.code, members_of(ran)) == (4, {"ada": "not asked", "grace": "extended"})
    assert "acme, ada@example.invalid: The service refused to extend" in ran.err
    assert account.issued("acme", "ada").expires == tokens["ada"].expires


@pytest.mark.parametrize("organization", ["acme-evil", "no-such-organization"])
def test_named_organization_that_the_account_cannot_see_is_an_error(
    account: Shell, organization: str
) -> None:
    ran = account("sync", organization).failed(4)
    assert organization in ran.err
    assert "HTTP 404" in ran.err


def test_stored_token_of_an_organization_that_the_account_cannot_see_is_compared(
    admin: Shell,
) -> None:
    admin.install("globex")
    del admin.sandbox.world.members["globex", "admin"]

    ran = admin("sync", "--json").well()
    stored = {one["organization"]: one["result"] for one in ran.json if not one["member"]}
    assert stored == {"acme": "extended", "globex": "up to date"}
    assert "The service account cannot see the members of globex" in ran.err


def test_service_account_without_a_stored_token_requires_an_organization(
    account: Shell,
) -> None:
    ran = account("sync").well()
    assert "conda-token-plugin sync ORG" in ran.err


def test_failing_list_of_members_is_a_failure(account: Shell) -> None:
    account.sandbox.fail_next("/users", times=9, status=500)
    ran = account("sync", "acme").failed(5)
    assert "HTTP 500" in ran.err


# -- exported copies -----------------------------------------------------------------------------


@pytest.fixture
def behind(acme: Shell) -> Path:
    """Return an exported file that holds the token before the reissue."""
    path = acme.home / ".rattler" / "credentials.json"
    acme("export", "rattler", "--yes").well()
    former = path.read_text()
    path.write_text("{")
    assert str(path) in acme("install", "--org", "acme", "--reissue").well().err
    path.write_text(former)
    return path


def test_sync_replaces_a_former_token_in_an_exported_file(acme: Shell, behind: Path) -> None:
    ran = acme("sync").well()
    assert acme.issued("acme").value in behind.read_text()
    assert f"in {behind}: written." in ran.err
    again = acme("sync").well()
    assert str(behind) not in again.err


def test_sync_names_an_exported_file_that_it_cannot_replace(acme: Shell, behind: Path) -> None:
    behind.write_text("{")
    ran = acme("sync").well()
    assert f"in {behind}: could not be changed." in ran.err
    assert "export rattler --org acme" in ran.err
    assert behind.read_text() == "{"


def test_sync_leaves_the_exported_copy_of_a_revoked_token(acme: Shell, behind: Path) -> None:
    before = behind.read_text()
    acme.sandbox.world.take_seat("acme", "ada")
    assert acme("sync").code == 1
    assert behind.read_text() == before

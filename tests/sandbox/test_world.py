"""The life of a token, event by event, without any HTTP."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest

from conda_token_plugin.sandbox.world.cast import SLUGS
from conda_token_plugin.sandbox.world.clock import Clock
from conda_token_plugin.sandbox.world.model import (
    GRACE,
    AccountKind,
    Standing,
    Subscription,
    Token,
    Verdict,
)
from conda_token_plugin.sandbox.world.world import Refusal, World

END = datetime(2030, 1, 1, tzinfo=timezone.utc)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


def a_token(*, revoked: datetime | None = None, months: int | None = None) -> Token:
    kind = AccountKind.INDIVIDUAL
    return Token(uuid4(), "x" * 48, kind, "acme", "ada", END, END, revoked, months)


@pytest.mark.parametrize(
    ("token", "subscription", "now", "verdict"),
    [
        (a_token(), Subscription("b", END), END - DAY, Verdict.WORKS),
        (a_token(), Subscription("b", END), END + GRACE - TICK, Verdict.WORKS),
        (a_token(), Subscription("b", END), END + GRACE, Verdict.EXPIRED),
        # Renewed, but not synced: the token's own end counts.
        (a_token(), Subscription("b", END + 365 * DAY), END + GRACE, Verdict.EXPIRED),
        # Ended early: the subscription's end counts.
        (a_token(), Subscription("b", END - 100 * DAY), END - 70 * DAY, Verdict.EXPIRED),
        (a_token(), Subscription("b", END, cancelled=True), END - DAY, Verdict.CANCELLED),
        (a_token(months=2), Subscription("b", END), END + 2 * GRACE - TICK, Verdict.WORKS),
        (a_token(months=2), Subscription("b", END), END + 2 * GRACE, Verdict.EXPIRED),
        (a_token(months=0), Subscription("b", END), END, Verdict.EXPIRED),
        (a_token(revoked=END), Subscription("b", END), END - DAY, Verdict.REVOKED),
    ],
)
def test_verdict_depends_on_expiry_tolerance_subscription_and_revocation(
    token: Token, subscription: Subscription, now: datetime, verdict: Verdict
) -> None:
    assert token.verdict(subscription, now=now) is verdict


def test_subscription_is_active_until_its_end() -> None:
    assert Subscription("b", END).standing(END - TICK) is Standing.ACTIVE
    assert Subscription("b", END).standing(END) is Standing.ENDED
    assert Subscription("b", END, cancelled=True).standing(END - TICK) is Standing.CANCELLED


@pytest.fixture
def world() -> World:
    return World(Clock(datetime(2026, 5, 1, 12, tzinfo=timezone.utc)))


def test_new_token_has_48_letters_and_digits_and_expires_with_the_subscription(
    world: World,
) -> None:
    token = world.issue("acme", "ada")
    assert len(token.value) == 48
    assert token.value.isalnum()
    assert token.value.isascii()
    assert token.expires == world.organization("acme").subscription.ends
    assert world.current("acme", "ada") == token
    assert world.current("acme", "grace") is None


def test_reissue_revokes_the_earlier_token_of_the_same_owner_only(world: World) -> None:
    others = [world.issue("acme", "grace"), world.issue("globex", "ada"), world.issue("acme")]
    old = world.issue("acme", "ada")
    new = world.issue("acme", "ada")
    after = world.tokens.get(old.id)
    assert after is not None
    assert world.verdict(after) is Verdict.REVOKED
    assert world.current("acme", "ada") == new
    assert set(others) <= set(world.tokens)
    assert [world.verdict(token) for token in others] == [Verdict.WORKS] * 3


@pytest.mark.parametrize(
    ("slug", "user", "reason"),
    [
        ("nowhere", "ada", "no_organization"),
        ("globex", "grace", "not_a_member"),
        ("acme", "bob", "no_seat"),
        ("initech", "carol", "ended"),
        ("hooli", "dave", "ended"),
        ("umbrella", "erin", "cancelled"),
        ("starter", "sam", "starter"),
        ("stark", "admin", "site_only"),
        ("umbrella", "", "cancelled"),
    ],
)
def test_refusal_to_issue_has_a_reason(world: World, slug: str, user: str, reason: str) -> None:
    with pytest.raises(Refusal, match=f"^{reason}$"):
        world.issue(slug, user)


def test_first_tokens_have_the_verdicts_of_the_cast(world: World) -> None:
    verdicts = {(t.org, t.user): world.verdict(t) for t in world.tokens}
    assert verdicts == {
        ("initech", "carol"): Verdict.WORKS,
        ("hooli", "dave"): Verdict.EXPIRED,
        ("umbrella", "erin"): Verdict.CANCELLED,
        ("acme", ""): Verdict.WORKS,
        ("stark", ""): Verdict.WORKS,
    }


def test_renewal_does_not_extend_a_token_and_sync_does(world: World) -> None:
    token = world.issue("acme", "ada")
    renewed = world.renew("acme")
    assert world.current("acme", "ada") == token
    assert renewed.ends > token.expires
    assert world.sync(token.id).expires == renewed.ends


def test_token_not_synced_after_renewal_expires_and_cannot_be_synced(world: World) -> None:
    token = world.issue("acme", "ada")
    world.renew("acme", world.clock.now() + 3 * 365 * DAY)
    world.clock.set(token.expires + GRACE - timedelta(hours=1))
    assert world.current("acme", "ada") == token
    world.clock.advance(timedelta(hours=2))
    assert world.current("acme", "ada") is None
    with pytest.raises(Refusal, match="no_token"):
        world.sync(token.id)


def test_token_works_for_thirty_days_after_the_subscription_has_ended(world: World) -> None:
    world.issue("acme", "ada")
    world.end("acme")
    world.clock.advance(29 * DAY)
    assert world.current("acme", "ada") is not None
    world.clock.advance(2 * DAY)
    assert world.current("acme", "ada") is None


def test_token_of_a_cancelled_subscription_works_again_after_renewal(world: World) -> None:
    token = world.issue("acme", "ada")
    world.cancel("acme")
    assert world.current("acme", "ada") is None
    assert world.current("acme") is None
    world.renew("acme")
    assert world.current("acme", "ada") == token


def test_taking_a_seat_revokes_the_individual_token_and_not_the_site_token(
    world: World,
) -> None:
    world.issue("acme", "ada")
    world.take_seat("acme", "ada")
    assert world.current("acme", "ada") is None
    assert world.current("acme") is not None
    world.give_seat("acme", "ada")
    assert world.current("acme", "ada") is None
    assert world.issuable("ada") == ["acme", "globex"]


def test_second_revocation_keeps_the_time_of_the_first(world: World) -> None:
    token = world.issue("acme", "ada")
    first = world.revoke(token.id)
    world.clock.advance(DAY)
    assert world.revoke(token.id).revoked == first.revoked


@pytest.mark.parametrize(
    ("user", "slugs"),
    [("ada", ["acme", "globex"]), ("bob", []), ("carol", []), ("sam", []), ("admin", [])],
)
def test_issuable_organizations_are_those_for_which_a_token_can_be_issued(
    world: World, user: str, slugs: list[str]
) -> None:
    assert world.issuable(user) == slugs


def test_every_organization_of_the_cast_exists(world: World) -> None:
    assert tuple(world.organizations) == SLUGS


def test_hundred_issues_from_ten_threads_leave_one_working_token(world: World) -> None:
    threads = [
        threading.Thread(target=lambda: [world.issue("acme", "ada") for _ in range(10)])
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mine = world.tokens.of("acme", AccountKind.INDIVIDUAL, "ada")
    assert len(mine) == 100
    assert sum(world.verdict(token) is Verdict.WORKS for token in mine) == 1


def test_clock_goes_on_after_it_was_set_and_refuses_a_time_without_a_zone() -> None:
    clock = Clock(END)
    first = clock.now()
    while clock.now() == first:
        pass  # a clock that does not advance exceeds the time limit of the test
    assert END <= first < clock.now() < END + timedelta(minutes=1)
    clock.advance(-DAY)
    assert clock.now() < END
    with pytest.raises(ValueError, match="a time with a zone, not 2030-01-01T00:00:00"):
        clock.set(END.replace(tzinfo=None))

"""Whether a token is kept, issued or replaced, by what is stored and what the service says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from conda_token_plugin.errors.input import HeldElsewhere
from conda_token_plugin.errors.organization import NoSuchOrganization
from conda_token_plugin.errors.service import ServiceUnreachable
from conda_token_plugin.gateways.clock import Clock
from conda_token_plugin.operations.issue_policy import (
    IssueAction,
    IssueConditions,
    IssuePlan,
    IssuePolicy,
    reason_to_issue,
    stored_token,
)
from conda_token_plugin.service.client import Service
from conda_token_plugin.service.models import CurrentToken, Identity
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind, TokenVerdict
from tests.support.stored_tokens import hold, put
from tests.support.tokens import NOON, value

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.sandbox import Sandbox
    from conda_token_plugin.sandbox.world.model import Token as SandboxToken
    from tests.support.machine import Machine

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
IF_MISSING = IssueConditions(if_missing=True)
EXPIRING_IN_A_YEAR = IssueConditions(if_expiring=365 * DAY)
STILL_WORKS = "it still works"


@dataclass
class LoggedInUser:
    """A user of ``machine`` who is logged in, and the notices that the policy gave."""

    machine: Machine
    late: timedelta = timedelta()
    """By how much the clock of the machine is behind."""
    notices: list[str] = field(default_factory=list)

    @property
    def sandbox(self) -> Sandbox:
        return self.machine.sandbox

    @property
    def now(self) -> datetime:
        return self.sandbox.clock.now() - self.late

    def issue(self, *, until: datetime | None = None) -> SandboxToken:
        """Issue the token of ada for acme, as another machine does."""
        return self.sandbox.world.issue("acme", "ada", until=until)

    def hold(
        self, *, until: datetime | None = None, with_id: bool = False, **facts: Any
    ) -> SandboxToken:
        """Issue the token of ada for acme, and store it here with these metadata."""
        token = self.issue(until=until)
        facts = {"expires": token.expires, "id": str(token.id) if with_id else "", **facts}
        scope = (f"{self.sandbox.repo}acme",)
        put(self.machine, token.value, organization="acme", scope=scope, **facts)
        self.sandbox.requests.clear()
        return token

    @property
    def stored(self) -> Token:
        """The only stored token."""
        (token,) = user_store(self.machine.settings).tokens()
        return token

    @property
    def asked_repository(self) -> bool:
        """Whether the policy has tried a token."""
        return any(one.path.startswith("/repo/") for one in self.sandbox.requests)

    def policy(self, *, logged_in: bool = True) -> IssuePolicy:
        """Return a policy with the state of now; the clock of the machine may be wrong."""
        return IssuePolicy(
            store=user_store(self.machine.settings),
            settings=self.machine.settings,
            clock=Clock(self.now, notice=self.notices.append),
            notice=self.notices.append,
            service=self._service if logged_in else unused,
        )

    def plan(
        self, *, conditions: IssueConditions, logged_in: bool = True, **options: bool
    ) -> IssuePlan:
        """Plan for acme."""
        policy = self.policy(logged_in=logged_in)
        with policy.clock.in_use():
            return policy.plan("acme", conditions=conditions, **options)

    def _service(self) -> Service:
        key = Secret(self.sandbox.world.api_key("ada"))
        return Service(self.sandbox.service, api_key=key, source="test")


def unused() -> NoReturn:
    pytest.fail("the service was asked")


@pytest.fixture
def user(machine: Machine) -> LoggedInUser:
    return LoggedInUser(machine)


def test_names_of_actions_are_those_of_the_json_output() -> None:
    assert [action.value for action in IssueAction] == ["kept", "issued", "replaced"]


@pytest.mark.parametrize(
    ("conditions", "conditional"),
    [
        (IssueConditions(), False),
        (IssueConditions(reissue=True), False),
        (IF_MISSING, True),
        (IssueConditions(if_expiring=timedelta()), True),
    ],
)
def test_wish_is_conditional_if_a_stored_token_can_be_good_enough(
    conditions: IssueConditions, *, conditional: bool
) -> None:
    assert conditions.conditional is conditional


@pytest.mark.parametrize(
    ("facts", "needed"),
    [
        ({}, True),
        ({"stored_here": True}, True),
        ({"unattended": True}, True),
        ({"unattended": True, "stored_here": True}, False),
        ({"reissue": True}, False),
        ({"action": IssueAction.ISSUE}, False),
        ({"action": IssueAction.KEEP}, False),
    ],
)
def test_replacement_needs_confirmation_unless_the_user_has_asked_for_it(
    facts: dict[str, Any], *, needed: bool
) -> None:
    plan = IssuePlan("acme", **{"action": IssueAction.REPLACE, "why": "", **facts})
    assert plan.needs_confirmation is needed


@pytest.mark.parametrize(
    ("facts", "within", "reason"),
    [
        ({"expires": NOON + DAY}, None, None),
        ({"expires": NOON + 15 * DAY}, 14 * DAY, None),
        ({"expires": NOON + 14 * DAY}, 14 * DAY, "the stored one has 14 days left"),
        ({}, 14 * DAY, None),
        ({"expires": NOON - DAY}, None, "the stored one is expired"),
        (
            {"expires": NOON + DAY, "verdict": TokenVerdict.REVOKED},
            None,
            "the stored one is revoked",
        ),
        (None, None, "none is stored"),
    ],
)
def test_reason_to_issue_follows_from_the_state_and_the_remaining_time(
    facts: dict[str, Any] | None, within: timedelta | None, reason: str | None
) -> None:
    stored = None
    if facts is not None:
        stored = Token(organization="acme", kind=TokenKind.SITE, scope=("https://h/acme",), **facts)
    assert reason_to_issue(stored, now=NOON, within=within) == reason


def test_stored_token_is_the_one_for_the_part_of_the_repository(user: LoggedInUser) -> None:
    settings = user.machine.settings
    store = user_store(settings)
    hold(user.machine, "globex", scope=(f"{user.sandbox.repo}acme",))
    hold(user.machine, "acme", scope=("https://other.example/acme",))
    assert stored_token("acme", store=store, settings=settings) is None
    stored = user.hold()

    found = stored_token("acme", store=store, settings=settings)

    assert found is not None
    assert (found.organization, found.last_four) == ("acme", stored.value[-4:])
    assert stored_token("initech", store=store, settings=settings) is None


@pytest.mark.parametrize("conditions", [IF_MISSING, IssueConditions(if_expiring=7 * DAY)])
def test_conditional_install_keeps_a_good_token_without_asking_the_service(
    user: LoggedInUser, conditions: IssueConditions
) -> None:
    user.hold()

    plan = user.plan(conditions=conditions, logged_in=False)

    assert (plan.action, plan.why, plan.current) == (IssueAction.KEEP, STILL_WORKS, None)
    assert plan.stored is not None
    assert not plan.needs_confirmation


@pytest.mark.parametrize(
    ("conditions", "why"),
    [(IssueConditions(), "it was requested"), (IF_MISSING, "none is stored")],
)
def test_token_is_issued_if_the_service_has_none(
    user: LoggedInUser, conditions: IssueConditions, why: str
) -> None:
    assert user.plan(conditions=conditions) == IssuePlan("acme", IssueAction.ISSUE, why)


def test_stored_token_that_the_service_does_not_have_is_in_the_plan(user: LoggedInUser) -> None:
    scope = (f"{user.sandbox.repo}acme",)
    stored = put(user.machine, value(1), organization="acme", scope=scope)

    plan = user.plan(conditions=IssueConditions())

    assert plan == IssuePlan("acme", IssueAction.ISSUE, "it was requested", stored=stored)


def test_conditional_install_raises_if_the_token_is_held_elsewhere(user: LoggedInUser) -> None:
    token = user.issue()

    with pytest.raises(HeldElsewhere, match=f"{token.id}, valid until {token.expires:%Y-%m-%d}"):
        user.plan(conditions=IF_MISSING)


@pytest.mark.parametrize("interrupted", [{}, {"interrupted": True}])
def test_token_of_an_interrupted_issue_is_treated_as_held_here(
    user: LoggedInUser, interrupted: dict[str, bool]
) -> None:
    token = user.issue()

    plan = user.plan(conditions=IssueConditions(), **interrupted)

    assert (plan.action, plan.stored) == (IssueAction.REPLACE, None)
    assert plan.stored_here is bool(interrupted)
    assert plan.current is not None
    assert plan.current.id == str(token.id)
    assert plan.needs_confirmation
    if interrupted:
        assert not user.plan(conditions=IF_MISSING, interrupted=True).needs_confirmation


@pytest.mark.parametrize("by_id", [True, False], ids=["by its id", "by the repository"])
def test_replacement_of_the_stored_token_is_recognized(user: LoggedInUser, *, by_id: bool) -> None:
    user.hold(with_id=by_id)

    plan = user.plan(conditions=IssueConditions())

    assert (plan.action, plan.why) == (IssueAction.REPLACE, "it was requested")
    assert (plan.stored, plan.stored_here) == (user.stored, True)
    assert (plan.reissue, plan.unattended) == (False, False)
    assert user.asked_repository is not by_id


@pytest.mark.parametrize("facts", [{"id": "another"}, {}], ids=["by its id", "by the repository"])
def test_stored_token_that_was_replaced_elsewhere_is_recognized(
    user: LoggedInUser, facts: dict[str, Any]
) -> None:
    user.hold(**facts)
    user.issue()

    assert not user.plan(conditions=IssueConditions()).stored_here


def test_stored_token_is_held_here_if_the_repository_does_not_answer(user: LoggedInUser) -> None:
    user.hold()
    user.sandbox.fail_next("/repo/", status=503, times=9)

    assert user.plan(conditions=IssueConditions()).stored_here


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": TokenKind.SITE},
        {"verdict": TokenVerdict.REVOKED},
        {"verdict": TokenVerdict.CANCELLED},
    ],
)
def test_stored_token_that_is_not_the_current_one_is_not_held_here(
    user: LoggedInUser, facts: dict[str, Any]
) -> None:
    user.hold(**facts)

    assert not user.plan(conditions=IssueConditions()).stored_here
    assert not user.asked_repository


def test_reissue_replaces_without_confirmation_and_without_trying_the_token(
    user: LoggedInUser,
) -> None:
    user.hold()

    plan = user.plan(conditions=IssueConditions(reissue=True))

    assert (plan.action, plan.stored_here, plan.reissue) == (IssueAction.REPLACE, False, True)
    assert not plan.needs_confirmation
    assert not user.asked_repository


def test_token_that_ends_with_its_subscription_is_kept(user: LoggedInUser) -> None:
    token = user.hold()

    plan = user.plan(conditions=EXPIRING_IN_A_YEAR)

    assert (plan.action, plan.why) == (IssueAction.KEEP, "a new one would expire on the same day")
    assert plan.stored is not None
    assert plan.stored.id == str(token.id)


def test_token_that_was_extended_but_not_enough_is_kept_until_its_subscription_ends(
    user: LoggedInUser,
) -> None:
    token = user.hold(expires=user.now + 5 * DAY)

    plan = user.plan(conditions=EXPIRING_IN_A_YEAR)

    assert (plan.action, plan.why) == (IssueAction.KEEP, "a new one would expire on the same day")
    assert plan.stored is not None
    assert plan.stored.expires == token.expires


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"expires": -DAY}, "it was extended"),
        ({"verdict": TokenVerdict.REVOKED}, STILL_WORKS),
    ],
)
def test_token_that_is_good_by_the_service_is_kept_and_its_metadata_updated(
    user: LoggedInUser, facts: dict[str, Any], why: str
) -> None:
    if "expires" in facts:
        facts = {"expires": user.now + facts["expires"]}
    token = user.hold(**facts)

    plan = user.plan(conditions=IF_MISSING)

    assert (plan.action, plan.why) == (IssueAction.KEEP, why)
    assert (plan.stored, user.stored.verdict) == (user.stored, TokenVerdict.GOOD)
    assert user.stored.expires == token.expires


def test_token_that_expires_before_its_subscription_is_replaced_without_confirmation(
    user: LoggedInUser,
) -> None:
    user.hold(until=user.now + 5 * DAY + HOUR, with_id=True)

    plan = user.plan(conditions=IssueConditions(if_expiring=14 * DAY))

    assert (plan.action, plan.why) == (IssueAction.REPLACE, "the stored one has 5 days left")
    assert (plan.unattended, plan.stored_here, plan.needs_confirmation) == (True, True, False)


def test_expired_site_token_is_not_compared_with_the_tokens_of_the_user(user: LoggedInUser) -> None:
    user.hold(kind=TokenKind.SITE, expires=user.now - DAY)

    with pytest.raises(HeldElsewhere):
        user.plan(conditions=IF_MISSING)

    assert user.stored.checked is None
    assert len(list(user.sandbox.requests)) == 1


def test_remaining_time_is_counted_by_the_clock_of_the_service_if_the_local_one_is_wrong(
    user: LoggedInUser,
) -> None:
    user.late = -3 * DAY  # it is fast
    user.hold(until=user.sandbox.clock.now() + 15 * DAY, with_id=True)

    plan = user.plan(conditions=IssueConditions(if_expiring=14 * DAY))

    assert (plan.action, plan.why) == (IssueAction.KEEP, STILL_WORKS)
    assert any("The clock of this machine" in notice for notice in user.notices)


@pytest.mark.parametrize(
    ("expires", "subscription_ends", "why"),
    [(5, None, "the stored one has 5 days left"), (-100, -100, "the stored one is expired")],
)
def test_token_of_a_subscription_without_a_known_end_is_replaced(
    user: LoggedInUser,
    monkeypatch: pytest.MonkeyPatch,
    expires: int,
    subscription_ends: int | None,
    why: str,
) -> None:
    def after(days: int | None) -> datetime | None:
        return None if days is None else user.now + days * DAY + HOUR

    ends, subscription = after(expires), after(subscription_ends)
    token = user.hold(with_id=True, expires=ends, subscription_ends=subscription)
    current = CurrentToken(str(token.id), ends)
    monkeypatch.setattr(Service, "current_token", lambda *_: current)
    monkeypatch.setattr(Service, "whoami", lambda _: Identity("1", "", "", ()))

    plan = user.plan(conditions=EXPIRING_IN_A_YEAR)

    assert (plan.action, plan.why, plan.current) == (IssueAction.REPLACE, why, current)


def test_service_that_does_not_answer_ends_the_plan(user: LoggedInUser) -> None:
    user.sandbox.stop()

    with pytest.raises(ServiceUnreachable):
        user.plan(conditions=IssueConditions())


def test_membership_is_checked_before_a_question_is_asked(user: LoggedInUser) -> None:
    user.policy().check_membership("acme")

    with pytest.raises(NoSuchOrganization, match="Your organizations: acme, globex"):
        user.policy().check_membership("umbrella")

"""The members' tokens, listed and extended with a service account, and the errors."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.login import LoginRefused
from conda_token_plugin.errors.organization import ExtensionRefused
from conda_token_plugin.errors.service import (
    ResponseLost,
    ServiceBusy,
    ServiceFault,
    UnexpectedResponse,
)
from conda_token_plugin.gateways.http.client import Timeouts
from conda_token_plugin.sandbox.http.messages import Ending
from conda_token_plugin.service.admin import Admin, MemberToken, service_account
from conda_token_plugin.settings import Settings
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox

SHORT = Timeouts(connect=2.0, read=2.0, retries=0)


def admin(sandbox: Sandbox, user: str = "admin") -> Admin:
    account = sandbox.world.credentials.make_service_account(sandbox.world.user(user))
    return Admin(
        sandbox.service, bearer=Secret(account.value), source="THE VARIABLE", timeouts=SHORT
    )


def ada(sandbox: Sandbox) -> str:
    return str(sandbox.world.user("ada").id)


def extend(account: Admin, organization: str = "acme", *, user_id: str) -> None:
    account.extend(organization, user_id=user_id, tolerance_months=2)


def test_extend_sets_the_expiry_to_the_end_of_the_subscription_and_the_tolerance(
    sandbox: Sandbox,
) -> None:
    before = sandbox.world.issue("acme", "ada")
    ends = sandbox.world.renew("acme", before.expires + timedelta(days=365)).ends
    extend(admin(sandbox), user_id=ada(sandbox))
    after = sandbox.world.current("acme", "ada")
    assert after is not None
    assert (after.id, after.expires, after.tolerance_months) == (before.id, ends, 2)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'{"expires_at": "soon"}'])
def test_extend_accepts_every_body_of_a_successful_answer(sandbox: Sandbox, body: bytes) -> None:
    sandbox.fail_next("/users/", status=200, body=body)
    extend(admin(sandbox), user_id=ada(sandbox))


def test_members_have_all_their_tokens_with_expiry_and_revocation(sandbox: Sandbox) -> None:
    old, new = (sandbox.world.issue("acme", "ada") for _ in range(2))
    listed = {member.email: member.tokens for member in admin(sandbox).members("acme")}
    assert listed.pop(sandbox.world.user("ada").email) == (
        MemberToken(str(old.id), old.expires, revoked=True),
        MemberToken(str(new.id), new.expires, revoked=False),
    )
    assert list(listed.values()) == [(), (), ()]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"items": [{}]}', b'{"items": [{"id": ""}]}'])
def test_unreadable_list_of_members_is_an_error(sandbox: Sandbox, body: bytes) -> None:
    sandbox.fail_next("/users", status=200, body=body)
    with pytest.raises(UnexpectedResponse):
        list(admin(sandbox).members("acme"))


def test_answer_422_is_reported_with_the_field_and_its_fault(sandbox: Sandbox) -> None:
    problem = {"loc": ["body", "expires_at"], "msg": "field required", "type": "value_error"}
    body = json.dumps({"detail": [problem]}).encode()
    sandbox.fail_next("/users/", status=422, body=body)
    with pytest.raises(ExtensionRefused, match=r"HTTP 422\): body\.expires_at: field required\."):
        extend(admin(sandbox), user_id=ada(sandbox))


@pytest.mark.parametrize(
    ("organization", "user", "status"),
    [("acme", "ada", 404), ("globex", "nobody", 404), ("nowhere", "ada", 404)],
)
def test_refused_extension_reports_the_reason(
    sandbox: Sandbox, organization: str, user: str, status: int
) -> None:
    user_id = str(sandbox.world.user(user).id)
    with pytest.raises(ExtensionRefused, match=rf"{organization}.*HTTP {status}\): no "):
        extend(admin(sandbox), organization, user_id=user_id)


def test_account_without_admin_rights_is_refused(sandbox: Sandbox) -> None:
    sandbox.world.issue("acme", "ada")
    with pytest.raises(ExtensionRefused, match="HTTP 403"):
        extend(admin(sandbox, "ada"), user_id=ada(sandbox))


@pytest.fixture
def traded(sandbox: Sandbox) -> Admin:
    """Return the service account of variables with an id and a secret."""
    made = sandbox.world.credentials.register_client(sandbox.world.user("admin"))
    variables = {
        "CONDA_TOKEN_SERVICE_URL": sandbox.service,
        "ANACONDA_SERVICE_ACCOUNT_ID": made.client_id,
        "ANACONDA_SERVICE_ACCOUNT_SECRET": made.client_secret,
    }
    account = service_account(Settings(variables))
    assert account is not None
    return account


def test_bearer_token_that_expires_during_a_long_list_is_traded_again(
    sandbox: Sandbox, traded: Admin
) -> None:
    sandbox.world.issue("acme", "ada")
    members = traded.members("acme")
    first = next(members)
    sandbox.clock.advance(timedelta(seconds=901))
    assert len([first, *members]) == 4
    extend(traded, user_id=ada(sandbox))
    trades = [one for one in sandbox.requests if one.path == "/api/iam/token"]
    assert [one.status for one in trades] == [200, 200]


def test_account_that_is_refused_again_after_a_trade_is_reported_once(
    sandbox: Sandbox, traded: Admin
) -> None:
    sandbox.fail_next("/users", times=9, status=401)
    with pytest.raises(LoginRefused, match=r"ANACONDA_SERVICE_ACCOUNT_ID and .*still exists"):
        list(traded.members("acme"))
    assert len(sandbox.requests) == 4


def test_expired_bearer_token_is_reported_with_its_lifetime(sandbox: Sandbox) -> None:
    account = admin(sandbox)
    sandbox.clock.advance(timedelta(seconds=901))
    with pytest.raises(LoginRefused, match=r"the bearer token from THE VARIABLE.*15 minutes"):
        extend(account, user_id=ada(sandbox))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 500}, ServiceFault),
        ({"status": 502, "body": b"<html>"}, ServiceFault),
        ({"status": 429}, ServiceBusy),
        ({"ending": Ending.RESET}, ResponseLost),
        ({"ending": Ending.STALL}, ResponseLost),
        ({"status": 200, "body": b"<html>"}, UnexpectedResponse),
        ({"status": 302, "headers": (("Location", "/login"),)}, UnexpectedResponse),
        ({"status": 401}, LoginRefused),
        ({"status": 422}, ExtensionRefused),
    ],
    ids=str,
)
def test_failing_service_raises_the_documented_error(
    sandbox: Sandbox, fault: dict[str, Any], kind: type[Exception]
) -> None:
    sandbox.world.issue("acme", "ada")
    sandbox.fail_next("/users/", **fault)
    with pytest.raises(kind):
        extend(admin(sandbox), user_id=ada(sandbox))
    assert len(sandbox.requests) == 1


def test_impossible_name_is_not_sent(sandbox: Sandbox) -> None:
    with pytest.raises(BadInput):
        extend(admin(sandbox), "..", user_id="..")
    assert len(sandbox.requests) == 0

"""The organization service over real HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox

CONFIRMED = {"confirm": "yes"}


def ask(
    sandbox: Sandbox, path: str, user: str, *, method: str = "GET", body: Any = None
) -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.world.api_key(user)}"}
    return requests.request(
        method, f"{sandbox.service}{path}", headers=headers, json=body, timeout=10
    )


def token_path(slug: str) -> str:
    return f"/api/organizations/{slug}/ce/current-token"


def test_organizations_of_a_user_are_listed(sandbox: Sandbox) -> None:
    listed = ask(sandbox, "/api/organizations/my", "mallory").json()
    assert [(o["name"], o["title"]) for o in listed] == [
        ("globex", "Globex"),
        ("acme-evil", "Acme Evil Twins"),
    ]
    assert listed[0]["id"] == str(sandbox.world.organization("globex").id)
    assert ask(sandbox, "/api/organizations/my", "nobody").json() == []


def test_account_has_user_and_subscriptions(sandbox: Sandbox) -> None:
    account = ask(sandbox, "/api/account", "sam").json()
    starter = str(sandbox.world.organization("starter").id)
    assert account["user"]["username"] == "sam"
    assert account["subscriptions"] == [
        {"org_id": starter, "product_code": "starter_subscription"},
        {"org_id": None, "product_code": "free_subscription"},
    ]


def test_whoami_writes_the_end_of_the_subscription_with_a_space(sandbox: Sandbox) -> None:
    passport = ask(sandbox, "/api/auth/sessions/whoami", "carol").json()["passport"]
    (place,) = passport["organizations"]
    (attribute,) = place["attributes"]
    ends = sandbox.world.organization("initech").subscription.ends
    assert (place["name"], place["role"]) == ("initech", "member")
    assert attribute["group"] == "subscriptions"
    assert attribute["data"]["expires_at"] == ends.strftime("%Y-%m-%d %H:%M:%S+00:00")


def test_current_token_without_a_token_is_404(sandbox: Sandbox) -> None:
    assert ask(sandbox, token_path("acme"), "ada").status_code == 404


def test_value_of_a_token_is_shown_only_when_it_is_issued(sandbox: Sandbox) -> None:
    issued = ask(sandbox, token_path("acme"), "ada", method="PUT", body=CONFIRMED)
    assert issued.status_code == 200
    assert set(issued.json()) == {"token", "expires_at"}
    current = ask(sandbox, token_path("acme"), "ada")
    assert set(current.json()) == {"id", "expires_at"}
    assert issued.json()["token"] not in current.text
    token = sandbox.world.current("acme", "ada")
    assert token is not None
    assert (token.value, str(token.id)) == (issued.json()["token"], current.json()["id"])


def test_expiry_has_an_offset_when_issued_and_none_when_read(sandbox: Sandbox) -> None:
    issued = ask(sandbox, token_path("acme"), "ada", method="PUT", body=CONFIRMED).json()
    current = ask(sandbox, token_path("acme"), "ada").json()
    ends = sandbox.world.organization("acme").subscription.ends
    assert datetime.fromisoformat(issued["expires_at"]) == ends
    naive = datetime.fromisoformat(current["expires_at"])
    assert naive.tzinfo is None
    assert naive.replace(tzinfo=timezone.utc) == ends


@pytest.mark.parametrize(
    ("slug", "user", "answer"),
    [
        ("nowhere", "ada", (404, {"error": {"code": "not_found"}})),
        ("globex", "grace", (404, {"error": {"code": "not_found"}})),
        ("acme", "bob", (403, {"error": {"message": "a seat is required"}})),
        ("initech", "carol", (409, {"message": "the subscription has ended"})),
        ("umbrella", "erin", (403, {"detail": "the subscription was cancelled"})),
        ("starter", "sam", (403, {"error": {"detail": "not part of this product"}})),
        ("stark", "admin", (409, {"error": {"detail": "this organization uses a site token"}})),
    ],
)
def test_each_refusal_to_issue_has_its_status_and_body(
    sandbox: Sandbox, slug: str, user: str, answer: tuple[int, dict[str, Any]]
) -> None:
    before = list(sandbox.world.tokens)
    refused = ask(sandbox, token_path(slug), user, method="PUT", body=CONFIRMED)
    status, body = answer
    assert refused.status_code == status
    assert refused.json() | {"error": None} == body | {"error": None}
    assert (body.get("error") or {}).items() <= (refused.json().get("error") or {}).items()
    assert list(sandbox.world.tokens) == before


@pytest.mark.parametrize(
    ("body", "status"), [(None, 422), ({"confirm": "no"}, 422), (["yes"], 400)]
)
def test_issuing_requires_the_confirmation(sandbox: Sandbox, body: object, status: int) -> None:
    answer = ask(sandbox, token_path("acme"), "ada", method="PUT", body=body)
    assert answer.status_code == status
    assert sandbox.world.current("acme", "ada") is None


def test_body_that_is_not_json_is_refused(sandbox: Sandbox) -> None:
    answer = requests.put(
        sandbox.service + token_path("acme"),
        data=b'{"confirm": ',
        headers={"Authorization": f"Bearer {sandbox.world.api_key('ada')}"},
        timeout=10,
    )
    assert answer.status_code == 400
    assert "not JSON" in answer.json()["error"]["message"]


def test_missing_unknown_or_expired_api_key_is_refused(
    sandbox: Sandbox,
) -> None:
    address = f"{sandbox.service}/api/account"
    missing = requests.get(address, timeout=10)
    unknown = requests.get(address, headers={"Authorization": "Bearer x.y.z"}, timeout=10)
    sandbox.clock.advance(timedelta(days=366))
    expired = ask(sandbox, "/api/account", "ada")
    assert [r.status_code for r in (missing, unknown, expired)] == [401, 403, 401]
    codes = {r.json()["error"]["code"] for r in (missing, unknown, expired)}
    assert codes == {"auth_required"}


def test_token_in_its_grace_period_is_current_and_an_expired_one_is_not(sandbox: Sandbox) -> None:
    assert ask(sandbox, token_path("initech"), "carol").status_code == 200
    assert ask(sandbox, token_path("hooli"), "dave").status_code == 404
    assert ask(sandbox, token_path("umbrella"), "erin").status_code == 404


def test_unknown_path_is_404_and_unknown_method_is_405(sandbox: Sandbox) -> None:
    assert ask(sandbox, "/api/nothing", "ada").status_code == 404
    wrong = ask(sandbox, token_path("acme"), "ada", method="DELETE")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, PUT")

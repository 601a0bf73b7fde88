"""The admin API of the sandbox, used with the bearer token of a service account."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import requests

from conda_token_plugin.sandbox.world.model import GRACE, Verdict

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox
    from conda_token_plugin.sandbox.world.model import ServiceAccount

SOON = "2026-12-31T00:00:00+00:00"
TOLERANCE = "expiration_tolerance_months"


class Admin:
    """Sends requests with the bearer token of a service account."""

    def __init__(self, sandbox: Sandbox, name: str = "admin") -> None:
        user = sandbox.world.user(name)
        self._sandbox = sandbox
        self._token = sandbox.world.credentials.make_service_account(user).value

    def do(self, method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(
            method,
            f"{self._sandbox.service}/api/v1/organizations/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=10,
        )


@pytest.fixture
def admin(sandbox: Sandbox) -> Admin:
    return Admin(sandbox)


@pytest.fixture
def account(sandbox: Sandbox) -> ServiceAccount:
    return sandbox.world.credentials.register_client(sandbox.world.user("admin"))


def path_of(sandbox: Sandbox, slug: str, name: str, last: str = "token") -> str:
    return f"{slug}/users/{sandbox.world.user(name).id}/{last}"


def trade(sandbox: Sandbox, **form: str) -> requests.Response:
    grant = {"grant_type": "client_credentials"} | form
    return requests.post(f"{sandbox.service}/api/iam/token", data=grant, timeout=10)


def test_id_and_secret_of_a_service_account_yield_a_bearer_token_of_900_seconds(
    sandbox: Sandbox, account: ServiceAccount
) -> None:
    given = trade(sandbox, client_id=account.client_id, client_secret=account.client_secret)
    assert (given.status_code, given.headers["Cache-Control"]) == (200, "no-store")
    assert (given.json()["token_type"], given.json()["expires_in"]) == ("bearer", 900)
    header = {"Authorization": f"Bearer {given.json()['access_token']}"}
    address = f"{sandbox.service}/api/v1/organizations/acme/users"
    assert requests.get(address, headers=header, timeout=10).status_code == 200
    sandbox.clock.advance(timedelta(seconds=901))
    assert requests.get(address, headers=header, timeout=10).status_code == 401


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": ""}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_wrong_client_credentials_yield_an_oauth_error(
    sandbox: Sandbox, account: ServiceAccount, change: dict[str, str], status: int, error: str
) -> None:
    form = {"client_id": account.client_id, "client_secret": account.client_secret} | change
    refused = trade(sandbox, **form)
    assert (refused.status_code, refused.json()) == (status, {"error": error})


def test_created_token_is_returned_and_mailed(sandbox: Sandbox, admin: Admin) -> None:
    body = {"expires_at": SOON, TOLERANCE: 2}
    made = admin.do("POST", path_of(sandbox, "acme", "grace"), body)
    assert made.status_code == 200
    token = sandbox.world.current("acme", "grace")
    assert token is not None
    assert made.json() == {"token": token.value, "expires_at": SOON}
    assert (token.expires.isoformat(), token.tolerance) == (SOON, 2 * GRACE)
    assert sandbox.world.outbox == [token]


def test_created_token_is_not_mailed_if_no_mail_is_wanted(sandbox: Sandbox, admin: Admin) -> None:
    body = {"expires_at": SOON, "send_token_email": False}
    assert admin.do("POST", path_of(sandbox, "acme", "grace"), body).status_code == 200
    assert sandbox.world.outbox == []


@pytest.mark.parametrize(
    ("method", "body", "field"),
    [
        ("POST", {}, "expires_at"),
        ("POST", {"expires_at": "soon"}, "expires_at"),
        ("POST", {"expires_at": SOON, TOLERANCE: -1}, TOLERANCE),
        ("PATCH", {}, "expires_at"),
        ("PATCH", {"expires_at": "soon"}, "expires_at"),
        ("PATCH", {TOLERANCE: "two"}, TOLERANCE),
        ("PATCH", {TOLERANCE: True}, TOLERANCE),
    ],
)
def test_missing_or_wrong_field_is_named_in_the_published_form(
    sandbox: Sandbox, admin: Admin, method: str, body: dict[str, Any], field: str
) -> None:
    before = sandbox.world.issue("acme", "ada")
    refused = admin.do(method, path_of(sandbox, "acme", "ada"), body)
    assert refused.status_code == 422
    (problem,) = refused.json()["detail"]
    assert problem["loc"] == ["body", field]
    assert set(problem) == {"loc", "msg", "type"}
    assert sandbox.world.current("acme", "ada") == before


def test_renewal_extends_the_token_to_the_end_of_the_subscription(
    sandbox: Sandbox, admin: Admin
) -> None:
    token = sandbox.world.issue("acme", "ada")
    ends = sandbox.world.renew("acme").ends
    synced = admin.do("PATCH", path_of(sandbox, "acme", "ada"), {"is_renewal": True})
    assert (synced.status_code, synced.json()) == (200, None)
    after = sandbox.world.current("acme", "ada")
    assert after is not None
    assert (after.id, after.expires, after.tolerance_months) == (token.id, ends, 0)


def test_expiry_is_set_as_given_but_not_beyond_the_subscription(
    sandbox: Sandbox, admin: Admin
) -> None:
    sandbox.world.issue("acme", "ada")
    ends = sandbox.world.organization("acme").subscription.ends
    path = path_of(sandbox, "acme", "ada")
    wanted = [ends - timedelta(days=9), ends + timedelta(days=9)]
    got = []
    for moment in wanted:
        admin.do("PATCH", path, {"expires_at": moment.isoformat()})
        token = sandbox.world.current("acme", "ada")
        got.append(token and token.expires)
    assert got == [wanted[0], ends]


def test_tolerance_is_changed_without_the_expiry_and_shown_to_the_user(
    sandbox: Sandbox, admin: Admin
) -> None:
    before = sandbox.world.issue("acme", "ada")
    assert admin.do("PATCH", path_of(sandbox, "acme", "ada"), {TOLERANCE: 3}).status_code == 200
    shown = requests.get(
        f"{sandbox.service}/api/organizations/acme/ce/current-token",
        headers={"Authorization": f"Bearer {sandbox.world.api_key('ada')}"},
        timeout=10,
    ).json()
    assert (shown["id"], shown[TOLERANCE]) == (str(before.id), 3)
    after = sandbox.world.current("acme", "ada")
    assert after is not None
    assert after.expires == before.expires


def test_sync_of_a_user_without_a_token_is_not_found(sandbox: Sandbox, admin: Admin) -> None:
    path = path_of(sandbox, "acme", "ada")
    assert admin.do("PATCH", path, {"is_renewal": True}).status_code == 404


def test_tokens_of_a_user_are_listed_without_their_values(sandbox: Sandbox, admin: Admin) -> None:
    old, new = sandbox.world.issue("acme", "ada"), sandbox.world.issue("acme", "ada")
    sandbox.world.issue("acme", "grace")
    listed = admin.do("GET", path_of(sandbox, "acme", "ada", "tokens"))
    found = [(item["id"], item["revoked"]) for item in listed.json()["items"]]
    assert found == [(str(old.id), True), (str(new.id), False)]
    assert set(listed.json()["items"][0]) == {"id", "expires_at", "metadata", "revoked"}
    assert not any(value in listed.text for value in (old.value, new.value))


def test_members_are_listed_with_role_and_subscriptions(sandbox: Sandbox, admin: Admin) -> None:
    listed = admin.do("GET", "acme/users").json()["items"]
    product = sandbox.world.organization("acme").subscription.product_code
    expected = [("ada", [product]), ("grace", [product]), ("bob", []), ("admin", [])]
    for item, (name, subscriptions) in zip(listed, expected, strict=True):
        user = sandbox.world.user(name)
        assert (item["id"], item["email"]) == (str(user.id), user.email)
        assert item["role"] == ("admin" if name == "admin" else "member")
        assert item["subscriptions"] == subscriptions


def test_robot_gets_a_token_after_a_seat_until_no_seat_is_free(
    sandbox: Sandbox, admin: Admin
) -> None:
    seats = sandbox.world.organization("acme").seats
    made = [admin.do("POST", "acme/users", {"first_name": "ci"}) for _ in range(seats)]
    assert [answer.status_code for answer in made] == [200] * seats
    users = [f"acme/users/{answer.json()['id']}" for answer in made]
    assert admin.do("POST", f"{users[0]}/token", {"expires_at": SOON}).status_code == 403
    answers = [admin.do("POST", f"{user}/seats").status_code for user in users]
    assert answers == [201] * (seats - 2) + [402, 402]
    token = sandbox.world.tokens.find(
        admin.do("POST", f"{users[0]}/token", {"expires_at": SOON}).json()["token"]
    )
    assert token is not None
    assert sandbox.world.verdict(token) is Verdict.WORKS


def test_seat_is_assigned_and_revoked_once(sandbox: Sandbox, admin: Admin) -> None:
    path = path_of(sandbox, "acme", "bob", "seats")
    assert [admin.do("POST", path).status_code for _ in range(2)] == [201, 409]
    assert [admin.do("DELETE", path).status_code for _ in range(2)] == [204, 404]
    assert admin.do("POST", path_of(sandbox, "acme", "nobody", "seats")).status_code == 404


def test_token_is_revoked_once(sandbox: Sandbox, admin: Admin) -> None:
    token = sandbox.world.issue("acme", "ada")
    path = path_of(sandbox, "acme", "ada", f"tokens/{token.id}")
    answers = [admin.do("DELETE", path) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 409]
    assert answers[0].content == b""
    after = sandbox.world.tokens.get(token.id)
    assert after is not None
    assert sandbox.world.verdict(after) is Verdict.REVOKED


def test_token_of_another_user_or_organization_is_not_revoked(
    sandbox: Sandbox, admin: Admin
) -> None:
    evil, mine = sandbox.world.issue("acme-evil", "mallory"), sandbox.world.issue("acme", "grace")
    for token_id in (evil.id, mine.id, uuid4()):
        path = path_of(sandbox, "acme", "ada", f"tokens/{token_id}")
        assert admin.do("DELETE", path).status_code == 404
    assert sandbox.world.current("acme-evil", "mallory") == evil
    assert sandbox.world.current("acme", "grace") == mine


@pytest.mark.parametrize(
    ("account", "slug", "user", "status"),
    [
        ("ada", "acme", "grace", 403),
        ("admin", "acme-evil", "mallory", 404),
        ("admin", "acme", "nobody", 404),
        ("admin", "acme", "bob", 403),
    ],
)
def test_token_is_not_created_without_admin_role_membership_and_seat(
    sandbox: Sandbox, account: str, slug: str, user: str, status: int
) -> None:
    refused = Admin(sandbox, account).do("POST", path_of(sandbox, slug, user), {"expires_at": SOON})
    assert refused.status_code == status
    assert set(refused.json()["error"]) >= {"code", "message"}


def test_admin_api_refuses_an_api_key_and_a_request_without_a_credential(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.world.api_key('admin')}"}
    address = f"{sandbox.service}/api/v1/organizations/acme/users"
    refused = requests.get(address, headers=headers, timeout=10)
    assert refused.status_code == 403
    assert set(refused.json()["error"]) == {"message", "code", "data"}
    assert requests.get(address, timeout=10).status_code == 401

"""The buttons under /sandbox/, which a test of a subprocess presses."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import requests

from conda_token_plugin.sandbox.service.login import CLIENT_ID
from conda_token_plugin.sandbox.world.model import Standing

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox


def call(sandbox: Sandbox, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{sandbox.service}/sandbox/{path}", json=body, timeout=10)


def put(sandbox: Sandbox, path: str, body: Any = None) -> Any:
    answer = call(sandbox, "PUT", path, body)
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


def test_clock_is_read_set_and_advanced(sandbox: Sandbox) -> None:
    put(sandbox, "clock", {"now": "2031-02-03T04:05:06Z"})
    moved = put(sandbox, "clock", {"advance": 3600})
    told = call(sandbox, "GET", "clock").json()
    expected = datetime(2031, 2, 3, 5, 5, 6, tzinfo=timezone.utc)
    for shown in (moved, told):
        late = datetime.fromisoformat(shown["now"]) - expected
        assert timedelta(0) <= late < timedelta(minutes=1)


def test_time_without_an_offset_is_utc(sandbox: Sandbox) -> None:
    told = put(sandbox, "clock", {"now": "2031-02-03T04:05:06"})
    assert told["now"].startswith("2031-02-03T04:05:")


def test_listed_users_have_working_api_keys(sandbox: Sandbox) -> None:
    users = {u["name"]: u for u in call(sandbox, "GET", "users").json()}
    assert users["bob"]["organizations"] == {"acme": {"role": "member", "seat": False}}
    headers = {"Authorization": f"Bearer {users['bob']['api_key']}"}
    account = requests.get(f"{sandbox.service}/api/account", headers=headers, timeout=10)
    assert account.json()["user"]["id"] == users["bob"]["id"]


def test_listed_organizations_have_a_standing(sandbox: Sandbox) -> None:
    standing = {o["slug"]: o["standing"] for o in call(sandbox, "GET", "organizations").json()}
    assert standing == {
        "acme": "active",
        "globex": "active",
        "acme-evil": "active",
        "initech": "ended",
        "hooli": "ended",
        "umbrella": "cancelled",
        "starter": "active",
        "stark": "active",
    }


def test_subscription_is_ended_cancelled_and_renewed(sandbox: Sandbox) -> None:
    def standing() -> Standing:
        return sandbox.world.organization("acme").subscription.standing(sandbox.clock.now())

    assert put(sandbox, "organizations/acme/end")["standing"] == "ended"
    assert standing() is Standing.ENDED
    assert put(sandbox, "organizations/acme/cancel")["standing"] == "cancelled"
    assert standing() is Standing.CANCELLED
    put(sandbox, "organizations/acme/renew", {"until": "2040-01-01T00:00:00Z"})
    assert standing() is Standing.ACTIVE
    assert sandbox.world.organization("acme").subscription.ends.year == 2040
    put(sandbox, "organizations/acme/end", {"on": "2039-01-01T00:00:00+02:00"})
    assert sandbox.world.organization("acme").subscription.ends.year == 2038


def test_seat_is_given_and_taken(sandbox: Sandbox) -> None:
    put(sandbox, "organizations/acme/seats/bob", {"seat": True})
    assert sandbox.world.issuable("bob") == ["acme"]
    put(sandbox, "organizations/acme/seats/bob", {"seat": False})
    assert sandbox.world.issuable("bob") == []


def test_issued_site_token_revokes_the_earlier_one(sandbox: Sandbox) -> None:
    old = sandbox.world.current("stark")
    made = put(sandbox, "organizations/stark/site-token")
    new = sandbox.world.current("stark")
    assert new is not None
    assert (made["value"], made["kind"]) == (new.value, "site")
    assert old != new


def test_tokens_are_listed_synced_and_revoked(sandbox: Sandbox) -> None:
    token = sandbox.world.issue("acme", "ada")
    put(sandbox, "organizations/acme/renew")
    synced = put(sandbox, f"tokens/{token.id}/sync")
    ends = sandbox.world.organization("acme").subscription.ends
    assert (synced["expires"], synced["verdict"]) == (ends.isoformat(), "works")
    put(sandbox, f"tokens/{token.id}/revoke")
    listed = {t["id"]: t for t in call(sandbox, "GET", "tokens").json()}
    assert listed[str(token.id)]["verdict"] == "revoked"
    assert listed[str(token.id)]["value"] == token.value


def test_token_of_a_service_account_is_mailed(sandbox: Sandbox) -> None:
    made = put(sandbox, "service-account", {"user": "admin"})
    user = sandbox.world.user("ada")
    answer = requests.post(
        f"{sandbox.service}/api/v1/organizations/acme/users/{user.id}/token",
        headers={"Authorization": f"Bearer {made['token']}"},
        json={"expires_at": "2030-01-01"},
        timeout=10,
    )
    mails = call(sandbox, "GET", "mails").json()
    assert mails == [{"to": "ada@example.invalid", "token": answer.json()["token"]}]


def test_api_key_is_made_with_the_given_scopes_only(sandbox: Sandbox) -> None:
    made = put(sandbox, "api-key", {"user": "ada", "scopes": ["cloud:read"]})
    key = sandbox.world.credentials.api_keys[made["api_key"]]
    assert (key.user, key.scopes) == ("ada", frozenset({"cloud:read"}))


def test_requests_are_recorded_except_those_to_control_endpoints(sandbox: Sandbox) -> None:
    address = f"{sandbox.service}/t/abc/repo/acme/main/notices.json?x=1"
    requests.get(address, headers={"Authorization": "token abc"}, timeout=10)
    (recorded,) = call(sandbox, "GET", "requests").json()
    assert recorded["method"] == "GET"
    assert recorded["host"] == sandbox.service.removeprefix("http://")
    assert recorded["path"] == "/t/abc/repo/acme/main/notices.json?x=1"
    assert recorded["status"] == 401
    assert ["Authorization", "token abc"] in recorded["headers"]
    assert call(sandbox, "DELETE", "requests").status_code == 204
    assert call(sandbox, "GET", "requests").json() == []
    assert len(sandbox.requests) == 0


def test_repr_of_a_record_has_no_headers(sandbox: Sandbox) -> None:
    headers = {"Authorization": "token sesame"}
    requests.get(f"{sandbox.service}/api/account", headers=headers, timeout=10)
    assert "sesame" not in repr(list(sandbox.requests))


def test_faults_are_set_and_removed(sandbox: Sandbox) -> None:
    fault = {
        "pattern": "/api/account",
        "method": "GET",
        "status": 429,
        "headers": {"Retry-After": "1"},
        "body": {"message": "slow"},
        "times": 2,
        "delay": 0.01,
        "ending": "whole",
    }
    put(sandbox, "faults", {"faults": [fault]})
    first = requests.get(f"{sandbox.service}/api/account", timeout=10)
    assert (first.status_code, first.json()) == (429, {"message": "slow"})
    assert first.headers["Retry-After"] == "1"
    put(sandbox, "faults", {"faults": []})
    assert requests.get(f"{sandbox.service}/api/account", timeout=10).status_code == 401


def test_control_endpoints_get_no_fault(sandbox: Sandbox) -> None:
    put(sandbox, "faults", {"faults": [{"pattern": ".", "times": 9}]})
    assert call(sandbox, "GET", "clock").status_code == 200


def test_device_login_is_approved_by_its_code(sandbox: Sandbox) -> None:
    put(sandbox, "devices", {"interval": 1})
    address = f"{sandbox.service}/oauth2/device/auth"
    begun = requests.post(address, data={"client_id": CLIENT_ID}, timeout=10).json()
    assert begun["interval"] == 1
    (waiting,) = call(sandbox, "GET", "devices").json()
    assert (waiting["user_code"], waiting["user"]) == (begun["user_code"], "")
    put(sandbox, f"devices/{begun['user_code']}", {"user": "grace"})
    assert sandbox.login.devices.poll(begun["device_code"], CLIENT_ID) == "grace"


def test_user_of_the_browser_is_set(sandbox: Sandbox) -> None:
    put(sandbox, "browser", {"user": "grace"})
    assert sandbox.login.browser.user == "grace"
    put(sandbox, "browser", {"user": None})
    assert sandbox.login.browser.user == ""


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("clock", {"now": "yesterday"}, 422),
        ("clock", {"advance": "much"}, 400),
        ("clock", {"advance": 1e300}, 400),
        ("clock", {"advance": 1e12}, 400),
        ("organizations/nowhere/renew", {}, 404),
        ("organizations/acme/end", {"on": 5}, 422),
        ("organizations/acme/seats/bob", {"seat": "yes"}, 400),
        ("organizations/acme/seats/nobody", {"seat": True}, 404),
        ("organizations/umbrella/site-token", {}, 403),
        (f"tokens/{UUID(int=0)}/sync", {}, 404),
        ("tokens/abc/sync", {}, 404),
        ("service-account", {"user": "nemo"}, 404),
        ("api-key", {"user": "nemo", "scopes": []}, 404),
        ("api-key", {"user": "ada", "scopes": "all"}, 400),
        ("browser", {"user": "nemo"}, 404),
        ("devices", {"interval": "long"}, 400),
        ("devices/ABCD-EFGH", {"user": "ada"}, 404),
        ("faults", {}, 400),
        ("faults", {"faults": [{"pattern": "("}]}, 400),
        ("faults", {"faults": [{"pattern": "x", "times": "many"}]}, 400),
        ("faults", {"faults": [{"pattern": "x", "ending": "sad"}]}, 400),
        ("faults", {"faults": [{"colour": "red"}]}, 400),
        ("faults", {"faults": ["x"]}, 400),
        ("nothing", {}, 404),
    ],
)
def test_invalid_control_request_gets_a_status_and_a_message(
    sandbox: Sandbox, path: str, body: dict[str, Any], status: int
) -> None:
    answer = call(sandbox, "PUT", path, body)
    assert answer.status_code == status
    assert "error" in answer.json() or "detail" in answer.json()
    assert call(sandbox, "GET", "clock").status_code == 200

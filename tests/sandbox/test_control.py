"""The endpoints under /sandbox/, which a test of another process uses."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import requests

from conda_token_plugin.sandbox.service.login import CLIENT_ID

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox


def call(sandbox: Sandbox, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{sandbox.service}/sandbox/{path}", json=body, timeout=10)


def listed(sandbox: Sandbox, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call(sandbox, "GET", name).json()
    return found


def put(sandbox: Sandbox, path: str, body: Any = None) -> Any:
    answer = call(sandbox, "PUT", path, body)
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


def test_clock_is_read_set_and_advanced(sandbox: Sandbox) -> None:
    put(sandbox, "clock", {"now": "2031-02-03T04:05:06"})  # without an offset: UTC
    moved = put(sandbox, "clock", {"advance": 3600})
    told = call(sandbox, "GET", "clock").json()
    expected = datetime(2031, 2, 3, 5, 5, 6, tzinfo=timezone.utc)
    for shown in (moved, told):
        late = datetime.fromisoformat(shown["now"]) - expected
        assert timedelta(0) <= late < timedelta(minutes=1)


def test_listed_users_have_working_api_keys(sandbox: Sandbox) -> None:
    users = {user["name"]: user for user in listed(sandbox, "users")}
    headers = {"Authorization": f"Bearer {users['bob']['api_key']}"}
    account = requests.get(f"{sandbox.service}/api/account", headers=headers, timeout=10)
    assert account.json()["user"]["id"] == users["bob"]["id"]


def test_listed_organizations_have_a_standing(sandbox: Sandbox) -> None:
    standing = {one["slug"]: one["standing"] for one in listed(sandbox, "organizations")}
    assert standing["acme"] == "active"
    assert standing["hooli"] == "ended"
    assert standing["umbrella"] == "cancelled"


def test_events_walk_a_token_from_its_issue_to_its_revocation(sandbox: Sandbox) -> None:
    made = put(sandbox, "issue", {"slug": "acme", "user": "ada"})
    put(sandbox, "renew", {"slug": "acme", "until": "2040-01-01T00:00:00Z"})
    synced = put(sandbox, "sync", {"token_id": made["id"]})
    assert (synced["expires"][:10], synced["verdict"]) == ("2040-01-01", "works")
    put(sandbox, "cancel", {"slug": "acme"})
    put(sandbox, "renew", {"slug": "acme"})
    put(sandbox, "end", {"slug": "acme", "on": "2039-01-01T00:00:00+02:00"})
    assert sandbox.world.organization("acme").subscription.ends.year == 2038
    put(sandbox, "give_seat", {"slug": "acme", "user": "bob"})
    assert sandbox.world.issuable("bob") == ["acme"]
    put(sandbox, "take_seat", {"slug": "acme", "user": "ada"})
    (mine,) = [one for one in listed(sandbox, "tokens") if one["id"] == made["id"]]
    assert (mine["value"], mine["kind"], mine["verdict"]) == (
        made["value"],
        "individual",
        "revoked",
    )


def test_requests_are_recorded_except_those_to_control_endpoints(sandbox: Sandbox) -> None:
    address = f"{sandbox.service}/t/abc/repo/acme/main/notices.json?x=1"
    requests.get(address, headers={"Authorization": "token abc"}, timeout=10)
    (recorded,) = listed(sandbox, "requests")
    assert recorded["method"] == "GET"
    assert ["Host", sandbox.service.removeprefix("http://")] in recorded["headers"]
    assert recorded["path"] == "/t/abc/repo/acme/main/notices.json?x=1"
    assert recorded["status"] == 401
    assert ["Authorization", "token abc"] in recorded["headers"]
    assert call(sandbox, "DELETE", "requests").status_code == 204
    assert listed(sandbox, "requests") == []
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
    address = f"{sandbox.service}/oauth2/device/auth"
    begun = requests.post(address, data={"client_id": CLIENT_ID}, timeout=10).json()
    (waiting,) = listed(sandbox, "devices")
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
        ("renew", {"slug": "nowhere"}, 404),
        ("renew", {}, 400),
        ("end", {"slug": "acme", "on": 5}, 422),
        ("issue", {"slug": "umbrella"}, 403),
        ("sync", {"token_id": str(UUID(int=0))}, 404),
        ("sync", {"token_id": "abc"}, 400),
        ("sync", {"token_id": 7}, 400),
        ("browser", {"user": "nemo"}, 404),
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

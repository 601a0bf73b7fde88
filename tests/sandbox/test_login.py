"""The two OAuth flows and the API key, with every answer that the RFCs know."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from conda_token_plugin.sandbox.service.login import CLIENT_ID, DEVICE_GRANT

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox

BACK = "http://127.0.0.1:8000/auth/oidc"
VERIFIER = "v" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)


def endpoint(sandbox: Sandbox, name: str) -> str:
    found = requests.get(f"{sandbox.service}/.well-known/openid-configuration", timeout=10)
    return str(found.json()[f"{name}_endpoint"])


def authorize(sandbox: Sandbox, **changes: str) -> requests.Response:
    asked = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": BACK,
        "state": "a state",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    address = endpoint(sandbox, "authorization")
    return requests.get(address, params=asked | changes, allow_redirects=False, timeout=10)


def sent_back(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{BACK}?")
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def redeem(sandbox: Sandbox, code: str, **changes: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    return requests.post(endpoint(sandbox, "token"), data=form | changes, timeout=10)


def begin(sandbox: Sandbox) -> dict[str, Any]:
    form = {"client_id": CLIENT_ID, "scope": "openid"}
    answer = requests.post(endpoint(sandbox, "device_authorization"), data=form, timeout=10)
    assert answer.status_code == 200
    begun: dict[str, Any] = answer.json()
    return begun


def poll(sandbox: Sandbox, device_code: str, client_id: str = CLIENT_ID) -> requests.Response:
    form = {"grant_type": DEVICE_GRANT, "device_code": device_code, "client_id": client_id}
    return requests.post(endpoint(sandbox, "token"), data=form, timeout=10)


def error_of(answer: requests.Response) -> str:
    assert answer.status_code in (400, 401)
    return str(answer.json()["error"])


def user_of(sandbox: Sandbox, access_token: str, path: str = "/api/auth/api-keys") -> str:
    """Trade an access token for an API key, and return the user of that account."""
    made = requests.post(
        sandbox.service + path,
        json={"scopes": ["cloud:read", "cloud:write", "repo:read"], "tags": ["test"]},
        headers={"Authorization": f"Bearer {access_token}"},
        timeout=10,
    )
    assert made.status_code == 201
    headers = {"Authorization": f"Bearer {made.json()['api_key']}"}
    account = requests.get(f"{sandbox.service}/api/account", headers=headers, timeout=10)
    return str(account.json()["user"]["username"])


def test_discovery_document_has_the_host_name_of_the_request(sandbox: Sandbox) -> None:
    elsewhere = sandbox.service.replace("127.0.0.1", "localhost")
    found = requests.get(f"{elsewhere}/.well-known/openid-configuration", timeout=10).json()
    assert found["issuer"] == elsewhere
    assert found["token_endpoint"].startswith(f"{elsewhere}/")


def test_code_with_its_verifier_yields_an_access_token(sandbox: Sandbox) -> None:
    back = sent_back(authorize(sandbox))
    assert back["state"] == "a state"
    answer = redeem(sandbox, back["code"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 3600
    assert user_of(sandbox, answer.json()["access_token"]) == "ada"


def test_state_is_added_to_a_redirect_uri_with_a_query(sandbox: Sandbox) -> None:
    answer = authorize(sandbox, redirect_uri=f"{BACK}?from=web")
    assert sent_back(answer)["from"] == "web"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_invalid_authorization_request_is_redirected_with_an_error(
    sandbox: Sandbox, changes: dict[str, str], error: str
) -> None:
    back = sent_back(authorize(sandbox, **changes))
    assert (back["error"], back["state"], "code" in back) == (error, "a state", False)


def test_denied_browser_login_is_redirected_without_a_code(sandbox: Sandbox) -> None:
    sandbox.login.seat_at_browser("")
    assert sent_back(authorize(sandbox))["error"] == "access_denied"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"redirect_uri": "https://elsewhere.invalid/"},
        {"redirect_uri": "http://127.0.0.1.elsewhere.invalid/"},
        {"redirect_uri": "http://[::1"},
        {"redirect_uri": ""},
    ],
)
def test_authorization_request_with_another_client_or_address_is_not_redirected(
    sandbox: Sandbox, changes: dict[str, str]
) -> None:
    answer = authorize(sandbox, **changes)
    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    "changes", [{"code_verifier": "w" * 64}, {"redirect_uri": f"{BACK}/"}, {"code_verifier": ""}]
)
def test_code_with_another_client_address_or_verifier_is_refused(
    sandbox: Sandbox, changes: dict[str, str]
) -> None:
    code = sent_back(authorize(sandbox))["code"]
    assert error_of(redeem(sandbox, code, **changes)) == "invalid_grant"


def test_code_is_accepted_once_and_for_one_minute(sandbox: Sandbox) -> None:
    assert error_of(redeem(sandbox, "made up")) == "invalid_grant"
    first, second = (sent_back(authorize(sandbox))["code"] for _ in range(2))
    assert redeem(sandbox, first).status_code == 200
    assert error_of(redeem(sandbox, first)) == "invalid_grant"
    sandbox.clock.advance(timedelta(minutes=1))
    assert error_of(redeem(sandbox, second)) == "invalid_grant"


def test_code_is_used_up_by_a_wrong_verifier(sandbox: Sandbox) -> None:
    code = sent_back(authorize(sandbox))["code"]
    redeem(sandbox, code, code_verifier="w" * 64)
    assert error_of(redeem(sandbox, code)) == "invalid_grant"


def test_device_login_is_pending_until_it_is_approved(sandbox: Sandbox) -> None:
    begun = begin(sandbox)
    assert (begun["interval"], begun["expires_in"]) == (5, 600)
    assert begun["verification_uri_complete"].endswith(f"/device?user_code={begun['user_code']}")
    assert error_of(poll(sandbox, begun["device_code"])) == "authorization_pending"
    sandbox.login.decide(begun["user_code"].lower(), "grace")
    answer = poll(sandbox, begun["device_code"])
    assert user_of(sandbox, answer.json()["access_token"]) == "grace"
    assert error_of(poll(sandbox, begun["device_code"])) == "invalid_grant"


def test_each_early_poll_adds_five_seconds_to_the_interval(sandbox: Sandbox) -> None:
    device_code = begin(sandbox)["device_code"]
    seen = []
    for seconds in (0, 1, 2, 16):
        sandbox.clock.advance(timedelta(seconds=seconds))
        seen.append(error_of(poll(sandbox, device_code)))
    # After the first: 1 < 5, then 2 < 10, then 16 > 15.
    slow, pending = "slow_down", "authorization_pending"
    assert seen == [pending, slow, slow, pending]


def test_denied_device_login_yields_access_denied(sandbox: Sandbox) -> None:
    begun = begin(sandbox)
    sandbox.login.decide(begun["user_code"], "")
    assert error_of(poll(sandbox, begun["device_code"])) == "access_denied"


def test_device_login_expires_even_if_it_was_approved(sandbox: Sandbox) -> None:
    begun = begin(sandbox)
    sandbox.login.decide(begun["user_code"], "ada")
    sandbox.clock.advance(timedelta(minutes=10))
    assert error_of(poll(sandbox, begun["device_code"])) == "expired_token"


def test_device_login_is_refused_to_another_client(sandbox: Sandbox) -> None:
    sandbox.login.client_ids.add("another")
    begun = begin(sandbox)
    assert error_of(poll(sandbox, begun["device_code"], "another")) == "invalid_grant"


def test_unknown_clients_and_grants_are_refused(sandbox: Sandbox) -> None:
    address = endpoint(sandbox, "token")
    refused = requests.post(address, data={"client_id": "unknown-client"}, timeout=10)
    assert (refused.status_code, error_of(refused)) == (401, "invalid_client")
    form = {"client_id": CLIENT_ID, "grant_type": "password"}
    assert error_of(requests.post(address, data=form, timeout=10)) == "unsupported_grant_type"
    device = requests.post(endpoint(sandbox, "device_authorization"), data={}, timeout=10)
    assert error_of(device) == "invalid_client"


@pytest.mark.parametrize(
    ("button", "error"), [({"decision": "approve"}, ""), ({}, "access_denied")]
)
def test_device_page_approves_and_denies_a_login(
    sandbox: Sandbox, button: dict[str, str], error: str
) -> None:
    begun = begin(sandbox)
    page = requests.get(begun["verification_uri_complete"], timeout=10)
    assert f"value='{begun['user_code']}'" in page.text
    form = {"user_code": begun["user_code"], "user": "bob"} | button
    assert requests.post(begun["verification_uri"], data=form, timeout=10).status_code == 200
    assert poll(sandbox, begun["device_code"]).json().get("error", "") == error


def test_device_page_escapes_the_code(sandbox: Sandbox) -> None:
    code = "'><script>"
    page = requests.get(f"{sandbox.service}/device", params={"user_code": code}, timeout=10)
    assert code not in page.text


def test_api_key_of_either_path_is_a_jwt_of_one_year(sandbox: Sandbox) -> None:
    token = sandbox.world.credentials.make_access_token(sandbox.world.user("bob")).value
    assert user_of(sandbox, token, "/api/auth/api-keys") == "bob"
    assert user_of(sandbox, token, "/api/iam/api-keys") == "bob"
    _, claims, _ = sandbox.world.api_key("bob").split(".")
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert decoded["exp"] - decoded["iat"] == 365 * 24 * 3600


def test_api_key_is_made_for_a_valid_access_token_and_scopes_only(sandbox: Sandbox) -> None:
    address = f"{sandbox.service}/api/auth/api-keys"
    scopes = {"scopes": ["cloud:read"]}
    token = sandbox.world.credentials.make_access_token(sandbox.world.user("ada")).value
    access = {"Authorization": f"Bearer {token}"}
    api_key = {"Authorization": f"Bearer {sandbox.world.api_key('ada')}"}
    assert requests.post(address, json=scopes, timeout=10).status_code == 401
    assert requests.post(address, json=scopes, headers=api_key, timeout=10).status_code == 403
    assert requests.post(address, json={}, headers=access, timeout=10).status_code == 422
    sandbox.clock.advance(timedelta(hours=1))
    assert requests.post(address, json=scopes, headers=access, timeout=10).status_code == 401


def test_access_token_is_refused_by_the_account_api(sandbox: Sandbox) -> None:
    token = sandbox.world.credentials.make_access_token(sandbox.world.user("ada")).value
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{sandbox.service}/api/account", headers=headers, timeout=10)
    assert answer.status_code == 403

"""The admin API, with a service account's token."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import requests

from conda_token_plugin.sandbox.world.model import Verdict

if TYPE_CHECKING:
    from conda_token_plugin.sandbox import Sandbox


class Admin:
    """Somebody with a service account."""

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


def users_token(sandbox: Sandbox, slug: str, name: str) -> str:
    return f"{slug}/users/{sandbox.world.user(name).id}/token"


def test_a_token_is_made_for_a_member_and_mailed(sandbox: Sandbox) -> None:
    made = Admin(sandbox).do("POST", users_token(sandbox, "acme", "grace"))
    assert made.status_code == 201
    token = sandbox.world.current("acme", "grace")
    assert token is not None
    assert made.json()["token"] == token.value
    assert sandbox.world.outbox == [token]


def test_no_mail_is_sent_if_none_is_wanted(sandbox: Sandbox) -> None:
    path = users_token(sandbox, "acme", "grace")
    assert Admin(sandbox).do("POST", path, {"send_email": False}).status_code == 201
    assert sandbox.world.outbox == []


def test_a_sync_extends_the_token_to_the_subscriptions_end(sandbox: Sandbox) -> None:
    token = sandbox.world.issue("acme", "ada")
    ends = sandbox.world.renew("acme").ends
    synced = Admin(sandbox).do("PATCH", users_token(sandbox, "acme", "ada"))
    assert synced.status_code == 200
    assert synced.json()["id"] == str(token.id)
    assert synced.json()["expires_at"] == ends.isoformat()
    assert token.value not in synced.text


def test_a_sync_sets_an_earlier_end_but_none_beyond_the_subscription(sandbox: Sandbox) -> None:
    sandbox.world.issue("acme", "ada")
    ends = sandbox.world.organization("acme").subscription.ends
    admin, path = Admin(sandbox), users_token(sandbox, "acme", "ada")
    wanted = [ends - timedelta(days=9), ends + timedelta(days=9)]
    got = [admin.do("PATCH", path, {"expires_at": t.isoformat()}).json() for t in wanted]
    assert [g["expires_at"] for g in got] == [wanted[0].isoformat(), ends.isoformat()]
    assert admin.do("PATCH", path, {"expires_at": "soon"}).status_code == 400


def test_without_a_token_there_is_nothing_to_sync(sandbox: Sandbox) -> None:
    assert Admin(sandbox).do("PATCH", users_token(sandbox, "acme", "ada")).status_code == 404


def test_living_tokens_are_listed_without_their_values(sandbox: Sandbox) -> None:
    old, new = sandbox.world.issue("acme", "ada"), sandbox.world.issue("acme", "ada")
    listed = Admin(sandbox).do("GET", "acme/tokens")
    assert [(t["type"], t["username"]) for t in listed.json()] == [
        ("site", None),
        ("individual", "ada"),
    ]
    assert listed.json()[1]["id"] == str(new.id)
    assert not any(value in listed.text for value in (old.value, new.value))


def test_a_token_is_revoked_once_and_for_all(sandbox: Sandbox) -> None:
    token = sandbox.world.issue("acme", "ada")
    answer = Admin(sandbox).do("DELETE", f"acme/tokens/{token.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    after = sandbox.world.tokens.get(token.id)
    assert after is not None
    assert sandbox.world.verdict(after) is Verdict.REVOKED


def test_a_token_of_another_organization_cannot_be_revoked(sandbox: Sandbox) -> None:
    token = sandbox.world.issue("acme-evil", "mallory")
    admin = Admin(sandbox)
    assert admin.do("DELETE", f"acme/tokens/{token.id}").status_code == 404
    assert admin.do("DELETE", f"acme/tokens/{uuid4()}").status_code == 404
    assert sandbox.world.current("acme-evil", "mallory") == token


def test_only_admins_of_the_organization_may(sandbox: Sandbox) -> None:
    assert Admin(sandbox, "ada").do("GET", "acme/tokens").status_code == 403
    assert Admin(sandbox).do("GET", "acme-evil/tokens").status_code == 404
    assert Admin(sandbox).do("POST", users_token(sandbox, "acme", "nobody")).status_code == 404
    assert Admin(sandbox).do("POST", users_token(sandbox, "acme", "bob")).status_code == 403


def test_a_service_account_lasts_900_seconds(sandbox: Sandbox) -> None:
    admin = Admin(sandbox)
    sandbox.clock.advance(timedelta(seconds=890))
    assert admin.do("GET", "acme/tokens").status_code == 200
    sandbox.clock.advance(timedelta(seconds=11))
    assert admin.do("GET", "acme/tokens").status_code == 401


def test_an_api_key_is_no_service_account(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.world.api_key('admin')}"}
    address = f"{sandbox.service}/api/v1/organizations/acme/tokens"
    assert requests.get(address, headers=headers, timeout=10).status_code == 403
    assert requests.get(address, timeout=10).status_code == 401

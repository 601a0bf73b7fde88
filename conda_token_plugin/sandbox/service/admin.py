"""The admin API under `/api/v1`, for service accounts of an organization's admin.

| call | answer |
|---|---|
| `POST …/users/{uuid}/token`  | 201, creates; mails the value unless `{"send_email": false}` |
| `PATCH …/users/{uuid}/token` | 200, sync: to the subscription's end, or an earlier `expires_at` |
| `GET …/tokens`               | 200, a list without values |
| `DELETE …/tokens/{id}`       | 204, revokes |

Only the calls and the 204 are known in public, the bodies are guesses.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from conda_token_plugin.sandbox.http.messages import Answer, Route, json_answer
from conda_token_plugin.sandbox.http.refusals import authenticate
from conda_token_plugin.sandbox.http.times import time_in
from conda_token_plugin.sandbox.world.world import Refusal

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.http.messages import Request
    from conda_token_plugin.sandbox.world.model import Token
    from conda_token_plugin.sandbox.world.world import World

_ID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
ORGANIZATION = r"/api/v1/organizations/(?P<slug>[^/]+)"


def routes(world: World) -> list[Route]:
    """Return the routes of the admin API."""
    users_token = rf"{ORGANIZATION}/users/(?P<user_id>{_ID})/token"
    one = rf"{ORGANIZATION}/tokens/(?P<token_id>{_ID})"
    return [
        Route("POST", users_token, partial(create, world)),
        Route("PATCH", users_token, partial(sync, world)),
        Route("GET", rf"{ORGANIZATION}/tokens", partial(list_tokens, world)),
        Route("DELETE", one, partial(revoke, world)),
    ]


def create(world: World, request: Request, slug: str, user_id: str) -> Answer:
    """Issue a token to a member, as `PUT …/current-token` does for oneself."""
    _check_admin(world, request, slug)
    token = world.issue(slug, _member(world, slug, user_id))
    if request.json().get("send_email", True):
        world.outbox.append(token)
    return json_answer(_described(token) | {"token": token.value}, status=201)


def sync(world: World, request: Request, slug: str, user_id: str) -> Answer:
    """Extend a member's current token."""
    _check_admin(world, request, slug)
    token = world.current(slug, _member(world, slug, user_id))
    if token is None:
        raise Refusal("no_token")
    return json_answer(_described(world.sync(token.id, time_in(request.json(), "expires_at"))))


def list_tokens(world: World, request: Request, slug: str) -> Answer:
    """List the tokens that have not been revoked."""
    _check_admin(world, request, slug)
    own = (token for token in world.tokens if token.org == slug and token.revoked is None)
    return json_answer([_described(token) for token in own])


def revoke(world: World, request: Request, slug: str, token_id: str) -> Answer:
    """Revoke a token of the organization."""
    _check_admin(world, request, slug)
    token = world.tokens.get(UUID(token_id))
    if token is None or token.org != slug:
        raise Refusal("no_token")
    world.revoke(token.id)
    return Answer(204)


def _check_admin(world: World, request: Request, slug: str) -> None:
    user = authenticate(world, request, world.credentials.service_accounts)
    if world.member(slug, user).role != "admin":
        raise Refusal("not_an_admin")


def _member(world: World, slug: str, user_id: str) -> str:
    users = (u.name for u in world.users.values() if u.id == UUID(user_id))
    name = next(users, "")
    world.member(slug, name)
    return name


def _described(token: Token) -> dict[str, Any]:
    return {
        "id": str(token.id),
        "type": token.kind.value,
        "username": token.user or None,
        "created_at": token.issued.isoformat(),
        "expires_at": token.expires.isoformat(),
    }

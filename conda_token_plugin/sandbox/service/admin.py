"""The admin API under `/api/v1`, for the service accounts of an organization.

| call below `/api/v1/organizations/{slug}` | answer |
|---|---|
| `GET /users`                       | 200, the members |
| `POST /users`                      | 201, a robot user with a token; 402 if no seat is free |
| `POST /users/{uuid}/token`         | 201, issues, and mails the value if `send_token_email` |
| `PATCH /users/{uuid}/token`        | 200, extends, or changes the tolerance |
| `GET /users/{uuid}/tokens`         | 200, all tokens of the user, without values |
| `DELETE /users/{uuid}/tokens/{id}` | 204; 404 if there is none; 409 if it is revoked already |

A token is issued with `expires_at` and `expiration_tolerance_months`, which may be missing. It is
extended with `is_renewal` (to the end of the subscription), or with the same two.

The calls, their fields and the statuses are published. The form of the lists, and that no token
outlives the subscription, are assumptions.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from conda_token_plugin.sandbox.http.messages import Answer, Refused, Route, invalid, json_answer
from conda_token_plugin.sandbox.http.refusals import authenticate
from conda_token_plugin.sandbox.http.times import time_in
from conda_token_plugin.sandbox.world.world import Refusal

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.sandbox.http.messages import Request
    from conda_token_plugin.sandbox.world.model import Token
    from conda_token_plugin.sandbox.world.world import World

TOLERANCE = "expiration_tolerance_months"
_ID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_USERS = r"/api/v1/organizations/(?P<slug>[^/]+)/users"
_USER = rf"{_USERS}/(?P<user_id>{_ID})"


def routes(world: World) -> list[Route]:
    """Return the routes of the admin API."""
    return [
        Route("GET", _USERS, partial(list_users, world)),
        Route("POST", _USERS, partial(create_robot, world)),
        Route("POST", rf"{_USER}/token", partial(create, world)),
        Route("PATCH", rf"{_USER}/token", partial(sync, world)),
        Route("GET", rf"{_USER}/tokens", partial(list_tokens, world)),
        Route("DELETE", rf"{_USER}/tokens/(?P<token_id>{_ID})", partial(revoke, world)),
    ]


def list_users(world: World, request: Request, slug: str) -> Answer:
    """List the members of the organization."""
    _check_admin(world, request, slug)
    users = (world.users[name] for org, name in world.members if org == slug)
    return json_answer({"items": [{"id": str(u.id), "email": u.email} for u in users]})


def create_robot(world: World, request: Request, slug: str) -> Answer:
    """Add a user without an email address, and issue a token to it."""
    _check_admin(world, request, slug)
    until, months = _expiry(request, required=True), _tolerance(request)
    robot = world.add_robot(slug)
    token = world.issue(slug, robot.name, until=until, tolerance_months=months)
    return json_answer({"id": str(robot.id)} | {"token": token.value} | _life(token), status=201)


def create(world: World, request: Request, slug: str, user_id: str) -> Answer:
    """Issue a token to a member."""
    _check_admin(world, request, slug)
    until, months = _expiry(request, required=True), _tolerance(request)
    user = _member(world, slug, user_id)
    token = world.issue(slug, user, until=until, tolerance_months=months)
    if request.json().get("send_token_email", True):
        world.outbox.append(token)
    return json_answer({"id": str(token.id), "token": token.value} | _life(token), status=201)


def sync(world: World, request: Request, slug: str, user_id: str) -> Answer:
    """Extend the current token of a member, or change its tolerance."""
    _check_admin(world, request, slug)
    until, months = _expiry(request), _tolerance(request)
    token = world.current(slug, _member(world, slug, user_id))
    if token is None:
        raise Refusal("no_token")
    if request.json().get("is_renewal"):
        synced = world.sync(token.id, tolerance_months=months)
    elif until is not None or months is not None:
        synced = world.sync(token.id, until or token.expires, months)
    else:
        raise Refused(invalid("expires_at", "field required"))
    return json_answer({"id": str(synced.id)} | _life(synced))


def list_tokens(world: World, request: Request, slug: str, user_id: str) -> Answer:
    """List the tokens of a member, also those that were revoked."""
    _check_admin(world, request, slug)
    user = _member(world, slug, user_id)
    own = (token for token in world.tokens if (token.org, token.user) == (slug, user))
    return json_answer(
        {
            "items": [
                {"id": str(token.id), "metadata": {}, "revoked": token.revoked is not None}
                | _life(token)
                for token in own
            ]
        }
    )


def revoke(world: World, request: Request, slug: str, user_id: str, token_id: str) -> Answer:
    """Revoke a token of a member."""
    _check_admin(world, request, slug)
    user = _member(world, slug, user_id)
    token = world.tokens.get(UUID(token_id))
    if token is None or (token.org, token.user) != (slug, user):
        raise Refusal("no_token")
    if token.revoked is not None:
        raise Refusal("revoked")
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


def _expiry(request: Request, *, required: bool = False) -> datetime | None:
    until = time_in(request.json(), "expires_at")
    if required and until is None:
        raise Refused(invalid("expires_at", "field required"))
    return until


def _tolerance(request: Request) -> int | None:
    months = request.json().get(TOLERANCE)
    if months is not None and (type(months) is not int or months < 0):
        raise Refused(invalid(TOLERANCE, "not a number of months"))
    return months


def _life(token: Token) -> dict[str, Any]:
    return {"expires_at": token.expires.isoformat(), TOLERANCE: token.tolerance_months}

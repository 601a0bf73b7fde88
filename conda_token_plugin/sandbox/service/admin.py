"""The admin API under `/api/v1`, for the service accounts of an organization.

| call below `/api/v1/organizations/{slug}` | response |
|---|---|
| `GET /users`                       | 200, a list of `{"id", "email", "role", "subscriptions"}` |
| `POST /users`                      | 200, a user without an email: `{"id", "email", …}` |
| `POST /users/{uuid}/seats`         | 201; 402 if no seat is free; 409 if the user has one |
| `DELETE /users/{uuid}/seats`       | 204; 404 if the user has none |
| `POST /users/{uuid}/token`         | 200, `{"token", "expires_at"}`, and mails the value |
| `PATCH /users/{uuid}/token`        | 200, extends, or changes the tolerance |
| `GET /users/{uuid}/tokens`         | 200, a list of `{"id", "expires_at", "revoked", …}` |
| `DELETE /users/{uuid}/tokens/{id}` | 204; 404 if there is none; 409 if it is revoked already |

A list is `{"items": […]}`. A token is issued with `expires_at` and `expiration_tolerance_months`,
whose default is 0. It is extended with `is_renewal` (to the end of the subscription), or with the
same two.

Calls, fields, defaults and statuses are those of the OpenAPI document that Anaconda publishes:
https://www.anaconda.com/docs/anaconda-platform/admin/org-management-api/org_management_api.json
It describes neither pages of a list nor the body of the response to `PATCH`, which is `null` here.
That no token outlives the subscription, and what a call without a right is answered, are
assumptions. anaconda-auth 0.15.3 has no client for this API.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from conda_token_plugin.sandbox.http.messages import (
    Refused,
    Response,
    Route,
    invalid,
    json_response,
)
from conda_token_plugin.sandbox.http.refusals import authenticate
from conda_token_plugin.sandbox.world.world import Refusal

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.sandbox.http.messages import Request
    from conda_token_plugin.sandbox.world.model import User
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
        Route("POST", rf"{_USER}/seats", partial(assign_seat, world)),
        Route("DELETE", rf"{_USER}/seats", partial(revoke_seat, world)),
        Route("POST", rf"{_USER}/token", partial(create, world)),
        Route("PATCH", rf"{_USER}/token", partial(sync, world)),
        Route("GET", rf"{_USER}/tokens", partial(list_tokens, world)),
        Route("DELETE", rf"{_USER}/tokens/(?P<token_id>{_ID})", partial(revoke, world)),
    ]


def list_users(world: World, request: Request, slug: str) -> Response:
    """List the members of the organization."""
    _check_admin(world, request, slug)
    product = world.organization(slug).subscription.product_code
    members = [(world.users[name], m) for (org, name), m in world.members.items() if org == slug]
    return json_response(
        {
            "items": [
                _person(user) | {"role": member.role, "subscriptions": [product] * member.seat}
                for user, member in members
            ]
        }
    )


def create_robot(world: World, request: Request, slug: str) -> Response:
    """Add a user without an email address of its own."""
    _check_admin(world, request, slug)
    return json_response(_person(world.add_robot(slug)))


def assign_seat(world: World, request: Request, slug: str, user_id: str) -> Response:
    """Give a member a seat."""
    _check_admin(world, request, slug)
    world.assign_seat(slug, _member(world, slug, user_id))
    return Response(201)


def revoke_seat(world: World, request: Request, slug: str, user_id: str) -> Response:
    """Take the seat of a member away."""
    _check_admin(world, request, slug)
    name = _member(world, slug, user_id)
    if not world.member(slug, name).seat:
        raise Refusal("no_assigned_seat")
    world.take_seat(slug, name)
    return Response(204)


def create(world: World, request: Request, slug: str, user_id: str) -> Response:
    """Issue a token to a member."""
    _check_admin(world, request, slug)
    until, months = _expiry(request, required=True), _tolerance(request)
    user = _member(world, slug, user_id)
    token = world.issue(slug, user, until=until, tolerance_months=months or 0)
    if request.json().get("send_token_email", True):
        world.outbox.append(token)
    return json_response({"token": token.value, "expires_at": token.expires.isoformat()})


def sync(world: World, request: Request, slug: str, user_id: str) -> Response:
    """Extend the current token of a member, or change its tolerance."""
    _check_admin(world, request, slug)
    until, months = _expiry(request), _tolerance(request)
    token = world.current(slug, _member(world, slug, user_id))
    if token is None:
        raise Refusal("no_token")
    if request.json().get("is_renewal"):
        world.sync(token.id, tolerance_months=months or 0)
    elif until is not None or months is not None:
        world.sync(token.id, until or token.expires, months or 0)
    else:
        raise Refused(invalid("expires_at", "field required"))
    return json_response(None)


def list_tokens(world: World, request: Request, slug: str, user_id: str) -> Response:
    """List the tokens of a member, also those that were revoked."""
    _check_admin(world, request, slug)
    user = _member(world, slug, user_id)
    own = (token for token in world.tokens if (token.org, token.user) == (slug, user))
    return json_response(
        {
            "items": [
                {
                    "id": str(token.id),
                    "expires_at": token.expires.isoformat(),
                    "metadata": {},
                    "revoked": token.revoked is not None,
                }
                for token in own
            ]
        }
    )


def revoke(world: World, request: Request, slug: str, user_id: str, token_id: str) -> Response:
    """Revoke a token of a member."""
    _check_admin(world, request, slug)
    user = _member(world, slug, user_id)
    token = world.tokens.get(UUID(token_id))
    if token is None or (token.org, token.user) != (slug, user):
        raise Refusal("no_token")
    if token.revoked is not None:
        raise Refusal("revoked")
    world.revoke(token.id)
    return Response(204)


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
    until = request.time("expires_at")
    if required and until is None:
        raise Refused(invalid("expires_at", "field required"))
    return until


def _tolerance(request: Request) -> int | None:
    months = request.json().get(TOLERANCE)
    if months is not None and (type(months) is not int or months < 0):
        raise Refused(invalid(TOLERANCE, "not a number of months"))
    return months


def _person(user: User) -> dict[str, Any]:
    return {"id": str(user.id), "email": user.email, "first_name": user.name, "last_name": None}

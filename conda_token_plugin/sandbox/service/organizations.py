"""The API under `/api`: organizations, account, the current token, who am I.

Times are written in the forms that were seen: with an offset, without one, and with a space between
date and time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

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
    from conda_token_plugin.sandbox.http.messages import Request
    from conda_token_plugin.sandbox.world.model import Organization
    from conda_token_plugin.sandbox.world.world import World

TOKEN_PATH = r"/api/organizations/(?P<slug>[^/]+)/ce/current-token"  # noqa: S105 -- a path


def routes(world: World) -> list[Route]:
    """Return the routes of the organization service."""
    return [
        Route("GET", r"/api/organizations/my", partial(my_organizations, world)),
        Route("GET", r"/api/account", partial(account, world)),
        Route("GET", r"/api/auth/sessions/whoami", partial(whoami, world)),
        Route("GET", TOKEN_PATH, partial(current_token, world)),
        Route("PUT", TOKEN_PATH, partial(issue_token, world)),
    ]


def my_organizations(world: World, request: Request) -> Response:
    """`GET /api/organizations/my`."""
    user = authenticate(world, request, world.credentials.api_keys)
    return json_response([_summary(org) for org in world.organizations_of(user)])


def account(world: World, request: Request) -> Response:
    """`GET /api/account`. An ended subscription stays in it, and a personal one is there too."""
    user = world.users[authenticate(world, request, world.credentials.api_keys)]
    subscriptions: list[dict[str, str | None]] = [
        {"org_id": str(org.id), "product_code": org.subscription.product_code}
        for org in world.organizations_of(user.name)
    ]
    subscriptions.append({"org_id": None, "product_code": "free_subscription"})
    return json_response(
        {
            "user": {"id": str(user.id), "email": user.email, "username": user.name},
            "profile": {"is_confirmed": True, "is_disabled": False},
            "subscriptions": subscriptions,
        }
    )


def whoami(world: World, request: Request) -> Response:
    """`GET /api/auth/sessions/whoami`."""
    user = world.users[authenticate(world, request, world.credentials.api_keys)]
    passport = {
        "user_id": str(user.id),
        "profile": {"email": user.email, "username": user.name},
        "organizations": [
            _place(world, org, user.name) for org in world.organizations_of(user.name)
        ],
    }
    return json_response({"identity": {"id": str(user.id)}, "passport": passport})


def current_token(world: World, request: Request, slug: str) -> Response:
    """`GET …/current-token`: id and expiry (UTC, without an offset), never the value.

    A tolerance is in it only if an administrator has set one.
    """
    user = authenticate(world, request, world.credentials.api_keys)
    world.member(slug, user)
    token = world.current(slug, user)
    if token is None:
        raise Refusal("no_token")
    expires = token.expires.replace(tzinfo=None)
    life: dict[str, str | int] = {"expires_at": expires.isoformat()}
    if token.tolerance_months is not None:
        life["expiration_tolerance_months"] = token.tolerance_months
    return json_response({"id": str(token.id)} | life)


def issue_token(world: World, request: Request, slug: str) -> Response:
    """`PUT …/current-token`: the only time that the value is shown."""
    user = authenticate(world, request, world.credentials.api_keys)
    if request.json() != {"confirm": "yes"}:
        raise Refused(invalid("confirm", 'the body must be {"confirm": "yes"}'))
    token = world.issue(slug, user)
    return json_response({"token": token.value, "expires_at": token.expires.isoformat()})


def _summary(organization: Organization) -> dict[str, str]:
    return {
        "id": str(organization.id),
        "name": organization.slug,
        "title": organization.title,
    }


def _place(world: World, organization: Organization, user: str) -> dict[str, Any]:
    return {
        "org_id": str(organization.id),
        "name": organization.slug,
        "title": organization.title,
        "role": world.member(organization.slug, user).role,
        "attributes": [
            {
                "id": organization.subscription.product_code,
                "group": "subscriptions",
                # Seen with a space between date and time.
                "data": {"expires_at": str(organization.subscription.ends)},
            }
        ],
    }

"""Endpoints that the real service does not have: events that have no API, and the clock.

Bodies are JSON, times are in ISO 8601. Requests here get no fault and are not recorded.

| call under `/sandbox/` | does |
|---|---|
| `GET clock`, `PUT clock {"now": T}` or `{"advance": SECONDS}` | returns or sets the time |
| `GET users` | all users with their API keys and memberships |
| `GET organizations` | all organizations with their subscriptions |
| `PUT organizations/SLUG/renew {"until": T}` | renews; default: a year from now |
| `PUT organizations/SLUG/end {"on": T}` | ends the subscription; default: now |
| `PUT organizations/SLUG/cancel` | cancels it |
| `PUT organizations/SLUG/seats/USER {"seat": true or false}` | gives or takes a seat |
| `PUT organizations/SLUG/site-token` | issues the site token; the only time it is shown |
| `GET tokens` | all tokens that were issued, with values and verdicts |
| `PUT tokens/ID/sync` | does what "Sync token" on the web page does |
| `PUT tokens/ID/revoke` | revokes it |
| `PUT service-account {"user": ADMIN}` | a service account with a bearer token |
| `PUT api-key {"user": NAME, "scopes": [SCOPE, …]}` | an API key with these scopes only |
| `GET mails` | the tokens that were mailed |

More are in `probes`.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from conda_token_plugin.sandbox.http.messages import Answer, Refused, Route, json_answer, problem
from conda_token_plugin.sandbox.http.times import time_in

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.http.messages import Request
    from conda_token_plugin.sandbox.world.model import Organization, Token, User
    from conda_token_plugin.sandbox.world.world import World

_ORGANIZATION = r"/sandbox/organizations/(?P<slug>[^/]+)"
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TOKEN = rf"/sandbox/tokens/(?P<token_id>{_ID})"


def routes(world: World) -> list[Route]:
    """Return the routes."""
    return [
        Route("GET", r"/sandbox/clock", partial(tell_time, world)),
        Route("PUT", r"/sandbox/clock", partial(set_clock, world)),
        Route("GET", r"/sandbox/users", partial(users, world)),
        Route("GET", r"/sandbox/organizations", partial(organizations, world)),
        Route("PUT", rf"{_ORGANIZATION}/renew", partial(renew, world)),
        Route("PUT", rf"{_ORGANIZATION}/end", partial(end, world)),
        Route("PUT", rf"{_ORGANIZATION}/cancel", partial(cancel, world)),
        Route("PUT", rf"{_ORGANIZATION}/seats/(?P<user>[^/]+)", partial(assign_seat, world)),
        Route("PUT", rf"{_ORGANIZATION}/site-token", partial(issue_site_token, world)),
        Route("GET", r"/sandbox/tokens", partial(tokens, world)),
        Route("PUT", rf"{_TOKEN}/sync", partial(sync, world)),
        Route("PUT", rf"{_TOKEN}/revoke", partial(revoke, world)),
        Route("PUT", r"/sandbox/service-account", partial(make_service_account, world)),
        Route("PUT", r"/sandbox/api-key", partial(make_api_key, world)),
        Route("GET", r"/sandbox/mails", partial(mails, world)),
    ]


def tell_time(world: World, _request: Request) -> Answer:
    """`GET clock`."""
    return json_answer({"now": world.clock.now().isoformat()})


def set_clock(world: World, request: Request) -> Answer:
    """`PUT clock`."""
    to = time_in(request.json(), "now")
    if to is not None:
        world.clock.set(to)
    try:
        world.clock.advance(timedelta(seconds=request.json().get("advance", 0)))
    except (TypeError, OverflowError) as e:  # not a number, or out of the calendar
        raise Refused(problem(400, f"advance: {e}")) from e
    return tell_time(world, request)


def users(world: World, _request: Request) -> Answer:
    """`GET users`."""
    return json_answer([_user(world, user) for user in world.users.values()])


def organizations(world: World, _request: Request) -> Answer:
    """`GET organizations`."""
    return json_answer([_organization(world, org) for org in world.organizations.values()])


def renew(world: World, request: Request, slug: str) -> Answer:
    """`PUT organizations/SLUG/renew`."""
    world.renew(slug, time_in(request.json(), "until"))
    return json_answer(_organization(world, world.organization(slug)))


def end(world: World, request: Request, slug: str) -> Answer:
    """`PUT organizations/SLUG/end`."""
    world.end(slug, time_in(request.json(), "on"))
    return json_answer(_organization(world, world.organization(slug)))


def cancel(world: World, _request: Request, slug: str) -> Answer:
    """`PUT organizations/SLUG/cancel`."""
    world.cancel(slug)
    return json_answer(_organization(world, world.organization(slug)))


def assign_seat(world: World, request: Request, slug: str, user: str) -> Answer:
    """`PUT organizations/SLUG/seats/USER`."""
    seat = request.json().get("seat")
    if not isinstance(seat, bool):
        raise Refused(problem(400, "seat: neither true nor false"))
    (world.give_seat if seat else world.take_seat)(slug, user)
    return json_answer(_user(world, world.user(user)))


def issue_site_token(world: World, _request: Request, slug: str) -> Answer:
    """`PUT organizations/SLUG/site-token`."""
    return json_answer(_token(world, world.issue(slug)))


def tokens(world: World, _request: Request) -> Answer:
    """`GET tokens`."""
    return json_answer([_token(world, token) for token in world.tokens])


def sync(world: World, _request: Request, token_id: str) -> Answer:
    """`PUT tokens/ID/sync`."""
    return json_answer(_token(world, world.sync(UUID(token_id))))


def revoke(world: World, _request: Request, token_id: str) -> Answer:
    """`PUT tokens/ID/revoke`."""
    return json_answer(_token(world, world.revoke(UUID(token_id))))


def make_service_account(world: World, request: Request) -> Answer:
    """`PUT service-account`."""
    user = world.user(str(request.json().get("user", "admin")))
    client = world.credentials.register_client(user)
    made = world.credentials.make_service_account(user)
    return json_answer(
        {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "token": made.value,
            "expires_at": made.expires.isoformat(),
        }
    )


def make_api_key(world: World, request: Request) -> Answer:
    """`PUT api-key`."""
    user = world.user(str(request.json().get("user", "")))
    scopes = request.json().get("scopes")
    if not isinstance(scopes, list):
        raise Refused(problem(400, "scopes: not a list"))
    key = world.credentials.make_api_key(user, map(str, scopes))
    return json_answer({"api_key": key.value, "expires_at": key.expires.isoformat()})


def mails(world: World, _request: Request) -> Answer:
    """`GET mails`."""
    return json_answer([{"to": world.user(t.user).email, "token": t.value} for t in world.outbox])


def _user(world: World, user: User) -> dict[str, Any]:
    places = {o.slug: world.member(o.slug, user.name) for o in world.organizations_of(user.name)}
    return {
        "name": user.name,
        "id": str(user.id),
        "email": user.email,
        "api_key": world.api_key(user.name),
        "organizations": {slug: {"role": m.role, "seat": m.seat} for slug, m in places.items()},
    }


def _organization(world: World, organization: Organization) -> dict[str, Any]:
    subscription = organization.subscription
    return {
        "slug": organization.slug,
        "id": str(organization.id),
        "title": organization.title,
        "site_only": organization.site_only,
        "product_code": subscription.product_code,
        "ends": subscription.ends.isoformat(),
        "standing": subscription.standing(world.clock.now()).value,
    }


def _token(world: World, token: Token) -> dict[str, Any]:
    return {
        "id": str(token.id),
        "value": token.value,
        "kind": token.kind.value,
        "org": token.org,
        "user": token.user,
        "issued": token.issued.isoformat(),
        "expires": token.expires.isoformat(),
        "verdict": world.verdict(token).value,
    }

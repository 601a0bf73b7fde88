"""Endpoints that the real service does not have: events without an API, the clock, the record.

Bodies are JSON, times are in ISO 8601. Requests here get no fault and are not recorded.

| call under `/sandbox/` | does |
|---|---|
| `GET users`, `organizations`, `tokens`, `requests`, `devices` | all of them, with their secrets |
| `DELETE requests` | deletes the record |
| `GET clock`, `PUT clock {"now": T}` or `{"advance": SECONDS}` | returns or sets the time |
| `PUT EVENT {ARGUMENT: VALUE, …}` | calls the method of `World` with this name, one of `EVENTS` |
| `PUT faults {"faults": [FAULT, …]}` | replaces all faults; fields as in `faults.Fault` |
| `PUT browser {"user": NAME or null}` | approves all logins in the browser; null denies them |
| `PUT devices/CODE {"user": NAME or null}` | approves a device login; null denies it |

A fault's `body` may be text or any JSON; its `headers` are an object.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from conda_token_plugin.sandbox.http.faults import Fault
from conda_token_plugin.sandbox.http.messages import (
    Ending,
    Refused,
    Response,
    Route,
    json_response,
    problem,
)
from conda_token_plugin.sandbox.world.model import Organization, Token

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.http.faults import Faults
    from conda_token_plugin.sandbox.http.messages import Recorded, Request
    from conda_token_plugin.sandbox.service.login import Login
    from conda_token_plugin.sandbox.world.world import World

EVENTS = ("issue", "sync", "revoke", "renew", "end", "cancel", "give_seat", "take_seat")


class Parts(NamedTuple):
    """What the endpoints show and change."""

    world: World
    requests: list[Recorded]
    faults: Faults
    login: Login


def routes(parts: Parts) -> list[Route]:
    """Return the routes."""
    lists = "users|organizations|tokens|requests|devices"
    return [
        Route("GET", rf"/sandbox/(?P<name>{lists})", partial(list_all, parts)),
        Route("DELETE", r"/sandbox/requests", partial(clear_requests, parts)),
        Route("GET", r"/sandbox/clock", partial(tell_time, parts.world)),
        Route("PUT", r"/sandbox/clock", partial(set_clock, parts.world)),
        Route("PUT", rf"/sandbox/(?P<name>{'|'.join(EVENTS)})", partial(happen, parts.world)),
        Route("PUT", r"/sandbox/faults", partial(set_faults, parts)),
        Route("PUT", r"/sandbox/browser", partial(seat_at_browser, parts)),
        Route("PUT", r"/sandbox/devices/(?P<user_code>[^/]+)", partial(decide, parts)),
    ]


def list_all(parts: Parts, _request: Request, name: str) -> Response:
    """`GET users` and the others."""
    world = parts.world
    lists: dict[str, Any] = {
        "users": world.users.values(),
        "organizations": world.organizations.values(),
        "tokens": world.tokens,
        "requests": parts.requests,
        "devices": parts.login.devices.waiting(),
    }
    shown = [_shown(world, value) for value in lists[name]]
    if name == "users":
        shown = [{**user, "api_key": world.api_key(user["name"])} for user in shown]
    return json_response(shown)


def clear_requests(parts: Parts, _request: Request) -> Response:
    """`DELETE requests`."""
    parts.requests.clear()
    return Response(204)


def tell_time(world: World, _request: Request) -> Response:
    """`GET clock`."""
    return json_response({"now": world.clock.now().isoformat()})


def set_clock(world: World, request: Request) -> Response:
    """`PUT clock`."""
    to = request.time("now")
    if to is not None:
        world.clock.set(to)
    try:
        world.clock.advance(timedelta(seconds=request.json().get("advance", 0)))
    except (TypeError, OverflowError) as e:  # not a number, or out of the calendar
        raise Refused(problem(400, f"advance: {e}")) from e
    return tell_time(world, request)


def happen(world: World, request: Request, name: str) -> Response:
    """`PUT EVENT`."""
    arguments = request.json()
    try:
        for time in ("until", "on"):
            if time in arguments:
                arguments[time] = request.time(time)
        if "token_id" in arguments:
            arguments["token_id"] = UUID(arguments["token_id"])
        result = getattr(world, name)(**arguments)
    except (TypeError, ValueError, AttributeError) as e:  # an argument is unknown, missing or wrong
        raise Refused(problem(400, f"{name}: {e}")) from e
    return Response(204) if result is None else json_response(_shown(world, result))


def set_faults(parts: Parts, request: Request) -> Response:
    """`PUT faults`."""
    try:
        faults = [_fault(**fields) for fields in request.json()["faults"]]
    except (KeyError, TypeError, ValueError, re.error) as e:  # a field is unknown, missing or wrong
        raise Refused(problem(400, f"no such faults: {e!r}")) from e
    parts.faults.replace(faults)
    return Response(204)


def seat_at_browser(parts: Parts, request: Request) -> Response:
    """`PUT browser`."""
    parts.login.seat_at_browser(_user_in(request))
    return Response(204)


def decide(parts: Parts, request: Request, user_code: str) -> Response:
    """`PUT devices/CODE`."""
    parts.login.decide(user_code, _user_in(request))
    return Response(204)


def _shown(world: World, value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass, and the state of a token or an organization."""
    fields = asdict(value)
    if isinstance(value, Token):
        fields["verdict"] = world.verdict(value).value
    elif isinstance(value, Organization):
        fields["standing"] = value.subscription.standing(world.clock.now()).value
    return fields


def _user_in(request: Request) -> str:
    return str(request.json().get("user") or "")


def _fault(
    *, body: object = "", headers: dict[str, str] | None = None, ending: str = "whole", **rest: Any
) -> Fault:
    data = body if isinstance(body, str) else json.dumps(body)
    pairs = tuple((headers or {}).items())
    return Fault(body=data.encode(), headers=pairs, ending=Ending(ending), **rest)

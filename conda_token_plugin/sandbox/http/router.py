"""From a request to its response: faults, then the route; every request is recorded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.http.messages import Recorded, Refused, Response, problem
from conda_token_plugin.sandbox.http.refusals import refuse
from conda_token_plugin.sandbox.world.world import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.sandbox.http.faults import Faults
    from conda_token_plugin.sandbox.http.messages import Request, Route

CONTROL = "/sandbox/"


class Router:
    """Answers requests.

    Requests to the control endpoints get no fault and are not recorded, because the test sends
    them, not the client.
    """

    def __init__(self, routes: Iterable[Route], *, faults: Faults, record: list[Recorded]) -> None:
        """Compile the routes.

        Args:
            routes: The first one that matches is used.
            faults: The faults of the next responses.
            record: Each request is added to it.
        """
        self._routes = [(route, re.compile(route.pattern)) for route in routes]
        self._faults = faults
        self._record = record

    def respond(self, request: Request) -> Response:
        """Return the response to a request. No request makes this raise."""
        if request.path.startswith(CONTROL):
            return self._routed(request)
        response = self._faults.spoil(request, self._routed)
        self._record.append(
            Recorded(request.method, request.target, response.status, request.headers)
        )
        return response

    def _routed(self, request: Request) -> Response:
        # A HEAD is a GET whose body the server does not send.
        method = "GET" if request.method == "HEAD" else request.method
        allowed = set()
        for route, pattern in self._routes:
            match = pattern.fullmatch(request.path)
            if match and route.method == method:
                return _handled(route, request, match)
            if match:
                allowed.add(route.method)
        return _not_allowed(allowed) if allowed else problem(404, "no such page", "not_found")


def _handled(route: Route, request: Request, match: re.Match[str]) -> Response:
    try:
        return route.handler(request, **match.groupdict())
    except Refused as e:  # the handler ended early
        return e.response
    except Refusal as e:  # a rule of the world forbids it
        return refuse(e)


def _not_allowed(methods: set[str]) -> Response:
    response = problem(405, "no such method here", "method_not_allowed")
    return Response(405, response.body, (*response.headers, ("Allow", ", ".join(sorted(methods)))))

"""Endpoints for tests: the record, faults, and the approval of logins.

| call under `/sandbox/` | does |
|---|---|
| `GET requests` | all requests: method, host, path with its query, status, headers |
| `DELETE requests` | deletes them |
| `PUT faults {"faults": [FAULT, …]}` | replaces all faults; fields as in `faults.Fault` |
| `PUT browser {"user": NAME or null}` | approves all logins in the browser; null denies |
| `GET devices` | the device logins that wait, with their codes |
| `PUT devices {"interval": SECONDS}` | the minimum time between two polls |
| `PUT devices/CODE {"user": NAME or null}` | approves a device login; null denies it |

A fault's `body` may be text or any JSON; its `headers` are an object.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from conda_token_plugin.sandbox.http.faults import Fault
from conda_token_plugin.sandbox.http.messages import (
    Answer,
    Ending,
    Refused,
    Route,
    json_answer,
    problem,
)

if TYPE_CHECKING:
    from conda_token_plugin.sandbox.http.faults import Faults
    from conda_token_plugin.sandbox.http.messages import Request
    from conda_token_plugin.sandbox.http.recorder import Recorded, Recorder
    from conda_token_plugin.sandbox.service.login import Login


class Probes:
    """The endpoints."""

    def __init__(self, requests: Recorder, faults: Faults, login: Login) -> None:
        """Take the parts of the sandbox that the endpoints show and change.

        Args:
            requests: The record of the requests.
            faults: The faults of the next responses.
            login: The login service.
        """
        self._requests = requests
        self._faults = faults
        self._login = login

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", r"/sandbox/requests", self.list_requests),
            Route("DELETE", r"/sandbox/requests", self.clear_requests),
            Route("PUT", r"/sandbox/faults", self.set_faults),
            Route("PUT", r"/sandbox/browser", self.seat_at_browser),
            Route("GET", r"/sandbox/devices", self.list_devices),
            Route("PUT", r"/sandbox/devices", self.set_interval),
            Route("PUT", r"/sandbox/devices/(?P<user_code>[^/]+)", self.decide),
        ]

    def list_requests(self, _request: Request) -> Answer:
        """`GET requests`."""
        return json_answer([_recorded(r) for r in self._requests])

    def clear_requests(self, _request: Request) -> Answer:
        """`DELETE requests`."""
        self._requests.clear()
        return Answer(204)

    def set_faults(self, request: Request) -> Answer:
        """`PUT faults`."""
        try:
            faults = [_fault(**fields) for fields in request.json()["faults"]]
        except (
            KeyError,
            TypeError,
            ValueError,
            re.error,
        ) as e:  # a field is unknown, missing or wrong
            raise Refused(problem(400, f"no such faults: {e!r}")) from e
        self._faults.replace(faults)
        return Answer(204)

    def seat_at_browser(self, request: Request) -> Answer:
        """`PUT browser`."""
        self._login.seat_at_browser(_user_in(request))
        return Answer(204)

    def list_devices(self, _request: Request) -> Answer:
        """`GET devices`."""
        return json_answer(
            [
                {"user_code": d.user_code, "expires": d.expires.isoformat(), "user": d.user}
                for d in self._login.devices.waiting()
            ]
        )

    def set_interval(self, request: Request) -> Answer:
        """`PUT devices`."""
        seconds = request.json().get("interval")
        if not isinstance(seconds, int):
            raise Refused(problem(400, "interval: not a whole number of seconds"))
        self._login.devices.interval = timedelta(seconds=seconds)
        return Answer(204)

    def decide(self, request: Request, user_code: str) -> Answer:
        """`PUT devices/CODE`."""
        self._login.decide(user_code, _user_in(request))
        return Answer(204)


def _recorded(request: Recorded) -> dict[str, Any]:
    return {
        "method": request.method,
        "host": request.host,
        "path": request.path,
        "status": request.status,
        "headers": request.headers,
    }


def _user_in(request: Request) -> str:
    return str(request.json().get("user") or "")


def _fault(
    *, body: object = "", headers: dict[str, str] | None = None, ending: str = "whole", **rest: Any
) -> Fault:
    data = body if isinstance(body, str) else json.dumps(body)
    pairs = tuple((headers or {}).items())
    return Fault(body=data.encode(), headers=pairs, ending=Ending(ending), **rest)

"""A request and a response, without sockets and threads."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable

    Handler = Callable[..., "Response"]


class Ending(Enum):
    """How a response is delivered."""

    WHOLE = "whole"
    HALF = "half"  # half of the body, then the connection is closed
    RESET = "reset"  # no byte; the client gets "connection reset by peer"
    STALL = "stall"  # no byte, and the connection stays open


@dataclass(frozen=True, slots=True)
class Response:
    """A response: status, headers, body, and how it is delivered."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    ending: Ending = Ending.WHOLE


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `target` is the path with the query, as it was sent."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    scheme: str = "http"

    @property
    def base(self) -> str:
        """The address of this server with the host name that the client used, without a slash."""
        return f"{self.scheme}://{self.header('Host')}"

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query. If a name occurs twice, the last one counts."""
        return dict(parse_qsl(self.target.partition("?")[2]))

    def header(self, name: str) -> str:
        """Return the first header of that name, or an empty string."""
        return first_header(self.headers, name)

    def bearer(self) -> str:
        """Return the value of `Authorization: Bearer …`, or an empty string."""
        scheme, _, value = self.header("Authorization").partition(" ")
        return value.strip() if scheme.lower() == "bearer" else ""

    def form(self) -> dict[str, str]:
        """Return the fields of a form."""
        return dict(parse_qsl(self.body.decode(errors="replace")))

    def json(self) -> dict[str, Any]:
        """Return the JSON object of the body; an empty body is an empty object.

        Raises:
            Refused: The body is not a JSON object.
        """
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as e:  # not JSON, or not UTF-8
            raise Refused(problem(400, f"the body is not JSON: {e}")) from e
        if not isinstance(value, dict):
            raise Refused(problem(400, "the body is not a JSON object"))
        return value

    def time(self, name: str) -> datetime | None:
        """Return the time under `name` in the body, or `None`. One without an offset is in UTC.

        Raises:
            Refused: 422, the value is not a time in ISO 8601.
        """
        body = self.json()
        if name not in body:
            return None
        try:
            # Python 3.10 does not know that Z is UTC.
            time = datetime.fromisoformat(str(body[name]).replace("Z", "+00:00"))
        except ValueError as e:  # not a time
            raise Refused(invalid(name, str(e))) from e
        return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it was received, and the status of its response.

    `path` includes the query, and `/t/…/` if it was sent.
    """

    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)

    def header(self, name: str) -> str:
        """Return the first header of that name, or an empty string."""
        return first_header(self.headers, name)

    @property
    def host(self) -> str:
        """The host name and port that the client used."""
        return self.header("Host")

    @property
    def authorization(self) -> str:
        """The `Authorization` header."""
        return self.header("Authorization")


@dataclass(frozen=True, slots=True)
class Route:
    """A method, a pattern for the whole path, and the handler.

    The named groups of the pattern are passed to the handler after the request.
    """

    method: str
    pattern: str
    handler: Handler


class Refused(Exception):
    """Raised by a handler to end with this response."""

    def __init__(self, response: Response) -> None:
        """Take the response."""
        super().__init__(response.status)
        self.response = response


def first_header(headers: tuple[tuple[str, str], ...], name: str) -> str:
    """Return the value of the first header of that name, or an empty string."""
    return next((v for n, v in headers if n.lower() == name.lower()), "")


def json_response(value: object, status: int = 200) -> Response:
    """Return `value` as JSON. It must not be cached, because it may contain a secret."""
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return Response(status, json.dumps(value, default=str).encode(), headers)


def problem(status: int, message: str, code: str = "bad_request") -> Response:
    """Return an error in the published form: `{"error": {"message", "code", "data"}}`."""
    return json_response({"error": {"message": message, "code": code, "data": {}}}, status)


def invalid(name: str, message: str) -> Response:
    """Return the documented response to a field that is missing or wrong: 422 and a list."""
    field = {"loc": ["body", name], "msg": message, "type": "value_error"}
    return json_response({"detail": [field]}, 422)


def redirect(location: str) -> Response:
    """Return a 302 to `location`."""
    return Response(302, headers=(("Location", location),))


def page(text: str, status: int = 200) -> Response:
    """Return a small page with `text`, which is HTML, in it."""
    document = f"<!doctype html><title>sandbox</title><body>{text}</body>"
    return Response(status, document.encode(), (("Content-Type", "text/html; charset=utf-8"),))

"""Faults on demand: how the responses to the next requests are spoiled."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.http.messages import Ending, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conda_token_plugin.sandbox.http.messages import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The response to the next `times` requests whose target contains `pattern`.

    Args:
        pattern: A regular expression, searched in the path and query as they were sent.
        method: Only requests with this method. Empty: with any.
        times: The number of requests.
        status: The status of the response. 0 handles the request as usual and spoils only the
            delivery: the token is issued, and the response is lost.
        body: The body of the response.
        headers: The headers of the response.
        delay: Seconds before the response.
        ending: How the response is delivered.

    Raises:
        re.error: `pattern` is not a regular expression.
        ValueError: A number is out of range.
    """

    pattern: str
    method: str = ""
    times: int = 1
    status: int = 503
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    ending: Ending = Ending.WHOLE

    def __post_init__(self) -> None:
        """Check the values here: an error in the thread of the server would not be seen."""
        re.compile(self.pattern)
        if self.times < 1 or self.delay < 0 or self.status not in (0, *range(200, 600)):
            raise ValueError("times is at least 1, delay not negative, status 0 or 200 to 599")

    def meets(self, request: Request) -> bool:
        """Return whether the fault applies to the request."""
        right_method = self.method in ("", request.method)
        return right_method and re.search(self.pattern, request.target) is not None


class Faults:
    """The faults that are still to come, in the order in which they were added."""

    def __init__(self) -> None:
        """Start without faults."""
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a fault."""
        with self._lock:
            self._waiting.append(fault)

    def replace(self, faults: Iterable[Fault]) -> None:
        """Replace all faults by these."""
        with self._lock:
            self._waiting = list(faults)

    def spoil(self, request: Request, respond: Callable[[Request], Response]) -> Response:
        """Return the response of `respond`, or that of the next fault for the request."""
        fault = self._take(request)
        if fault is None:
            return respond(request)
        if fault.status == 0:
            return replace(respond(request), delay=fault.delay, ending=fault.ending)
        return Response(fault.status, fault.body, fault.headers, fault.delay, fault.ending)

    def _take(self, request: Request) -> Fault | None:
        with self._lock:
            fault = next((f for f in self._waiting if f.meets(request)), None)
            if fault is not None:
                place = self._waiting.index(fault)
                left = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                self._waiting[place : place + 1] = left
            return fault

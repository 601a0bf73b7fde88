"""Faults on demand: how the next requests to a path go wrong."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from conda_token_plugin.sandbox.http.messages import Answer, Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conda_token_plugin.sandbox.http.messages import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to the next `times` requests whose target `pattern` is found in.

    Args:
        pattern: A regular expression, searched in the path and query as they were sent.
        method: Only requests of this method, or of any if it is empty.
        times: How many requests.
        status: The answer's status. 0 lets the request happen as it would have, and spoils only
            the delivery: the token is issued, its answer is lost.
        body: The answer's body.
        headers: The answer's headers.
        delay: Seconds before the answer.
        ending: How the answer is delivered.

    Raises:
        re.error: `pattern` is no regular expression.
        ValueError: a number is out of its range.
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
        """Refuse what would only go wrong in the server's thread, where nobody looks."""
        re.compile(self.pattern)
        if self.times < 1 or self.delay < 0 or self.status not in (0, *range(200, 600)):
            raise ValueError("times is at least 1, delay not negative, status 0 or 200 to 599")

    def meets(self, request: Request) -> bool:
        """Whether the request is one of those that go wrong."""
        right_method = self.method in ("", request.method)
        return right_method and re.search(self.pattern, request.target) is not None


class Faults:
    """The faults that are still to come, in the order in which they were asked for."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault come."""
        with self._lock:
            self._waiting.append(fault)

    def replace(self, faults: Iterable[Fault]) -> None:
        """Let these come, and none of those that were asked for before."""
        with self._lock:
            self._waiting = list(faults)

    def spoil(self, request: Request, answer: Callable[[Request], Answer]) -> Answer:
        """Return what `answer` says to the request, or what the next fault makes of it."""
        fault = self._take(request)
        if fault is None:
            return answer(request)
        if fault.status == 0:
            return replace(answer(request), delay=fault.delay, ending=fault.ending)
        return Answer(fault.status, fault.body, fault.headers, fault.delay, fault.ending)

    def _take(self, request: Request) -> Fault | None:
        with self._lock:
            fault = next((f for f in self._waiting if f.meets(request)), None)
            if fault is not None:
                place = self._waiting.index(fault)
                left = [replace(fault, times=fault.times - 1)] if fault.times > 1 else []
                self._waiting[place : place + 1] = left
            return fault

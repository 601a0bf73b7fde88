"""A person at a terminal: types commands, answers their questions, confirms logins in a browser."""

from __future__ import annotations

import json
import os
import pty
import select
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from tests.benchmarks.hosts import Unmeasurable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LONGEST = 60.0
"""Seconds that a command may take."""
PAUSE = 0.1
"""Seconds between two looks at the logins that wait for a confirmation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command, and what the person does while it runs."""

    command: Sequence[str]
    answers: Sequence[tuple[str, str]] = ()
    """What the screen shows last of a question, and the keys that answer it."""
    confirms: bool = False
    """Whether the person confirms a login in a browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What the steps took."""

    commands: int
    questions: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the sandbox who thinks for no time at all."""

    user: str
    service: str
    authority: Path | None
    """The certificate that the sandbox is trusted by, with https."""
    variables: Mapping[str, str]
    folder: Path

    def play(self, steps: Sequence[Step]) -> Wait:
        """Play the steps one after another.

        Raises:
            Unmeasurable: A command fails, or does not ask what it is expected to ask.
        """
        self._sandbox("DELETE", "requests")
        seconds = sum(self._run(step) for step in steps)
        return Wait(
            commands=len(steps),
            questions=sum(len(step.answers) + step.confirms for step in steps),
            requests=len(self._sandbox("GET", "requests")),
            seconds=seconds,
        )

    def _run(self, step: Step) -> float:
        """Run one command; return the seconds that it took."""
        began = time.monotonic()
        child, terminal = pty.fork()
        if child == 0:
            try:
                os.chdir(self.folder)
                os.execvpe(step.command[0], list(step.command), dict(self.variables))
            finally:  # exec failed: this is a copy of the benchmark, which must not go on
                os._exit(127)
        screen, left = self._attend(terminal, step, end=began + LONGEST)
        os.close(terminal)
        _, status = os.waitpid(child, 0)
        if status or left:
            said = " ".join(screen.split())[-400:]
            raise Unmeasurable(f"`{' '.join(step.command)}` ({status}, not asked: {left}): {said}")
        return time.monotonic() - began

    def _attend(self, terminal: int, step: Step, *, end: float) -> tuple[str, list[str]]:
        """Answer until the command closes the terminal; return its output, and what it never asked.

        Raises:
            Unmeasurable: The command takes too long.
        """
        screen, answered, confirmed = "", 0, not step.confirms
        answers = list(step.answers)
        while chunk := _read(terminal, seconds=PAUSE):
            if time.monotonic() > end:
                raise Unmeasurable(f"`{' '.join(step.command)}` does not end: {screen[-400:]}")
            screen += chunk.strip("\0")
            if answers and answers[0][0] in screen[answered:]:
                answered = len(screen)
                os.write(terminal, answers.pop(0)[1].encode())
            confirmed = confirmed or self._confirm()
        unasked = [question for question, _ in answers]
        return screen, unasked if confirmed else [*unasked, "a login"]

    def _confirm(self) -> bool:
        """Confirm the logins that wait; return whether there was one."""
        waiting = self._sandbox("GET", "devices")
        for device in waiting:
            self._sandbox("PUT", f"devices/{device['user_code']}", {"user": self.user})
        return bool(waiting)

    def _sandbox(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        data = json.dumps(body).encode() if body else None
        request = Request(f"{self.service}/sandbox/{path}", data=data, method=method)
        trusted = ssl.create_default_context(cafile=self.authority)
        with urlopen(request, context=trusted) as answer:
            text = answer.read()
        return json.loads(text) if text else None


def _read(terminal: int, *, seconds: float) -> str:
    """Return new output, a NUL if there is none for `seconds`, and nothing at the end."""
    ready, _, _ = select.select([terminal], [], [], seconds)
    if not ready:
        return "\0"
    try:
        return os.read(terminal, 65536).decode("utf-8", "replace")
    except OSError:  # Linux reports EIO when the child has closed its end
        return ""

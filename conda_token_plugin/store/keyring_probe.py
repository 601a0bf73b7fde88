"""Does a system keyring work here? Asked in a process of its own, with a time limit.

In a process of its own because a keyring may hang in a system call, crash the interpreter,
or import what another package has registered; none of that may happen to conda.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from enum import Enum
from typing import NamedTuple

LIMIT = 10.0
"""Seconds that the probe may take."""
_CHILD = (
    "import json, sys;"
    "sys.path[:] = json.load(sys.stdin);"
    "from conda_token_plugin.store.keyring_probe_child import main;"
    "main(explicit={explicit!r})"
)


class ProbeAnswer(Enum):
    """What became of the probe."""

    WORKING = "working"
    ABSENT = "absent"
    LOCKED = "locked"
    REFUSED = "refused"
    HUNG = "hung"


class ProbeReport(NamedTuple):
    """The answer of a probe, and the backend that it is about."""

    answer: ProbeAnswer
    backend: str = ""
    """Its class: "keyring.backends.SecretService.Keyring"."""
    title: str = ""
    """For people: "Secret Service"."""
    reason: str = ""
    """Finishes the sentence "The system keyring …"."""

    def as_json(self) -> dict[str, str]:
        """Plain values."""
        return {**self._asdict(), "answer": self.answer.value}

    @classmethod
    def from_json(cls, value: dict[str, str]) -> ProbeReport:
        """Undo ``as_json``.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        texts = {name: text for name, text in value.items() if name != "answer"}
        return cls(answer=ProbeAnswer(value["answer"]), **texts)


def probe(*, explicit: bool) -> ProbeReport:
    """Try the system's keyring.

    ``explicit``: the user asked for a keyring, so one that Python's keyring is set to will do
    even if it is not the system's.
    """
    try:
        child = _started(explicit=explicit)
    except OSError as error:  # no interpreter, no more processes
        return _refused(f"could not be tried: {error.strerror}")
    try:
        answer, trouble = child.communicate(json.dumps(sys.path), timeout=LIMIT)
    except subprocess.TimeoutExpired:  # a prompt that nobody answers, a daemon that is stuck
        _kill(child)
        reason = f"did not answer within {LIMIT:.0f} seconds"
        return ProbeReport(answer=ProbeAnswer.HUNG, reason=reason)
    return _finding(answer, trouble)


def _started(*, explicit: bool) -> subprocess.Popen[str]:
    """``-I``: neither the working folder nor PYTHONPATH may put modules of theirs in between."""
    return subprocess.Popen(  # noqa: S603  # this interpreter, with text of ours
        [sys.executable, "-I", "-c", _CHILD.format(explicit=explicit)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def _kill(child: subprocess.Popen[str]) -> None:
    """End the child and whatever it has started; nothing more is read from them."""
    if sys.platform == "win32":
        child.kill()
    else:
        with suppress(ProcessLookupError):  # it has ended in between
            os.killpg(child.pid, signal.SIGKILL)
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream is not None:
            with suppress(OSError):  # a pipe that nobody reads any more
                stream.close()
    child.wait()


def _finding(answer: str, trouble: str) -> ProbeReport:
    try:
        return ProbeReport.from_json(json.loads(answer))
    except (KeyError, TypeError, ValueError):  # it was ended by an error or a crash
        last = (trouble.strip().splitlines() or ["it crashed"])[-1]
        return _refused(f"refused a test entry: {last[:120]}")


def _refused(reason: str) -> ProbeReport:
    return ProbeReport(answer=ProbeAnswer.REFUSED, reason=reason)

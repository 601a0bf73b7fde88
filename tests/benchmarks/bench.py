"""The subjects of a measurement, homes for them, and a sandbox."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.benchmarks.homes import MADE_UP, REPOSITORY, Home, holding
from tests.benchmarks.hosts import REPOSITORY as CHECKOUT
from tests.benchmarks.hosts import Unmeasurable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.hosts import Host, Subject

_NUMBERS = count()
PATIENCE = 60.0
"""Seconds that the sandbox may take to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The subjects, and the number of rounds."""

    host: Host
    bare: Subject
    floor: Subject
    ours: Subject
    peers: tuple[Subject, ...]
    scratch: Path
    rounds: int
    valgrind: bool = True

    @property
    def plugged(self) -> tuple[Subject, ...]:
        """The subjects that have a plugin."""
        return (self.ours, *self.peers)

    def home(self, **more: str) -> Home:
        """Return a home with a ``~/.condarc`` that names a channel, as most homes have."""
        home = Home.empty(self.scratch / f"home-{next(_NUMBERS)}", **more)
        home.write(".condarc", "channels:\n  - conda-forge\n")
        return home

    def holder(
        self,
        subject: Subject,
        *,
        tokens: int = 1,
        repository: str = REPOSITORY,
        token: str = MADE_UP,
    ) -> Home:
        """Return a home with tokens as ``subject`` stores them; without tokens for bare conda."""
        return holding(subject, self.home(), repository=repository, token=token, count=tokens)

    @contextmanager
    def sandbox(self, *certificate: Path) -> Iterator[dict[str, Any]]:
        """Yield the addresses of a sandbox with large channels, in a process of its own.

        Args:
            certificate: A certificate and its private key, for https.

        Raises:
            Unmeasurable: The sandbox does not start.
        """
        arguments = map(str, (self.scratch / "channels", *certificate))
        command = [self.ours.python, "-m", "tests.benchmarks.serve", *arguments]
        with subprocess.Popen(
            command, cwd=CHECKOUT, stdout=subprocess.PIPE, encoding="utf-8"
        ) as process:
            line = process.stdout.readline() if process.stdout else ""
            try:
                if not line:
                    raise Unmeasurable("The sandbox did not start.")
                yield json.loads(line)
            finally:
                process.terminate()
                process.wait(timeout=PATIENCE)

"""Commands that supply credentials: a program that counts its calls, good and bad answers."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import json, os, sys, time
request = sys.stdin.read()
with open({calls!r}, "a") as calls:
    calls.write(json.dumps([sys.argv[1:], request, os.getcwd()]) + "\\n")
sys.stderr.write({noise!r})
sys.stderr.flush()
{body}
"""


@dataclass(frozen=True)
class Program:
    """A Python program whose calls are recorded."""

    command: tuple[str, ...]
    record: Path

    @property
    def calls(self) -> list[tuple[list[str], str, str]]:
        """Return the arguments, the standard input and the working folder of each call."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        return [tuple(json.loads(line)) for line in lines]


def program(folder: Path, body: str, *, name: str = "helper", noise: str = "") -> Program:
    """Write a program that writes ``noise`` to its standard error, and runs ``body``."""
    folder.mkdir(parents=True, exist_ok=True)
    path, record = folder / f"{name}.py", folder / f"{name}.calls"
    path.write_text(SCRIPT.format(calls=str(record), noise=noise, body=body))
    return Program((sys.executable, str(path)), record)


def printing(folder: Path, text: str, *, name: str = "helper") -> Program:
    """Write a program that prints ``text``."""
    return program(folder, f"sys.stdout.write({text!r})", name=name)


def response(value: str, *, expires: str | None = None) -> str:
    """Return a response of the credential-helper protocol with an ``Authorization`` header."""
    document: dict[str, object] = {"headers": {"Authorization": [value]}}
    if expires is not None:
        document["expires"] = expires
    return json.dumps(document)

"""What other users can see of running processes, as ``ps`` shows it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.sandbox import Sandbox

WATCHED = Path(__file__).with_name("watched")


def watched(notes: Path) -> dict[str, str]:
    """Return variables with which all Python processes record their arguments and children."""
    return {"PYTHONPATH": str(WATCHED), "WATCHED_NOTES": str(notes)}


@contextmanager
def looking(sandbox: Sandbox) -> Iterator[list[bytes]]:
    """Record the command lines of all processes that use the sandbox, at each request.

    At that moment the process that has sent the request is certainly running. Other processes of
    this computer are left out: tests that run at the same time have secrets of the same form.
    """
    seen: list[bytes] = []
    server = sandbox._server
    before = server.respond

    def answer(request: object) -> object:
        seen.append(_command_lines(sandbox.service.encode()))
        return before(request)  # type: ignore[arg-type]  # whatever it is

    server.respond = answer  # type: ignore[assignment]  # as it was
    try:
        yield seen
    finally:
        server.respond = before


def _command_lines(service: bytes) -> bytes:
    return b"\n".join(_command_line(one, service) for one in Path("/proc").glob("[0-9]*"))


def _command_line(process: Path, service: bytes) -> bytes:
    try:
        uses_it = service in (process / "environ").read_bytes()
        return (process / "cmdline").read_bytes() if uses_it else b""
    except OSError:  # it has ended, or belongs to another user
        return b""

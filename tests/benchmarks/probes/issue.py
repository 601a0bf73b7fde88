"""Measure the issue of a token in a conda process, with and without its requests.

What it waits for the disk (``os.fsync``) is told, too: no token may be lost, whatever that costs.

The service is the one that the environment names.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from conda.base.context import reset_context
from conda.cli.conda_argparse import generate_parser
from conda.gateways.connection.session import get_session  # noqa: F401  # has requests loaded
from conda.plugins.manager import get_plugin_manager
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from collections.abc import Callable


def timing(function: Callable[..., Any], *, into: list[float]) -> Callable[..., Any]:
    """Return ``function``, which then appends the milliseconds of each call to ``into``."""

    def timed(*arguments: Any, **more: Any) -> Any:
        began = time.perf_counter_ns()
        try:
            return function(*arguments, **more)
        finally:
            into.append((time.perf_counter_ns() - began) / 1e6)

    return timed


def main() -> dict[str, float]:
    """Run the command, and time each request and each wait for the disk."""
    reset_context()
    get_plugin_manager()
    generate_parser(add_help=True)
    requests: list[float] = []
    disk: list[float] = []
    send, fsync = timing(HTTPAdapter.send, into=requests), timing(os.fsync, into=disk)
    with patch.object(HTTPAdapter, "send", send), patch("os.fsync", fsync), quiet():
        milliseconds = issue()
    beside = milliseconds - sum(requests)
    told = {"requests": len(requests), "milliseconds": milliseconds, "beside": beside}
    return {**told, "syncs": len(disk), "disk": sum(disk)}


def quiet() -> contextlib.redirect_stderr[io.StringIO]:
    """Hide the messages of the command."""
    return contextlib.redirect_stderr(io.StringIO())


def issue() -> float:
    """Run the command; return its milliseconds."""
    began = time.perf_counter_ns()
    from conda_token_plugin.plugin import token

    with contextlib.redirect_stdout(io.StringIO()):
        code = token(("install", "--org", "acme", "--reissue"))
    if code:
        raise SystemExit(code)
    return (time.perf_counter_ns() - began) / 1e6


if __name__ == "__main__":
    measured = main()
    sys.stdout.write("\n" + json.dumps(measured))

"""Issue a token in a conda process: how long, and how long without the requests that it made.

The service is the one that the environment names.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from typing import Any
from unittest.mock import patch

from conda.base.context import reset_context
from conda.cli.conda_argparse import generate_parser
from conda.gateways.connection.session import get_session  # noqa: F401  # has requests loaded
from conda.plugins.manager import get_plugin_manager
from requests.adapters import HTTPAdapter

SEND = HTTPAdapter.send


def main() -> dict[str, float]:
    """Run the command, and time each request."""
    reset_context()
    get_plugin_manager()
    generate_parser(add_help=True)
    requests: list[float] = []

    def send(adapter: HTTPAdapter, *arguments: Any, **more: Any) -> Any:
        began = time.perf_counter_ns()
        try:
            return SEND(adapter, *arguments, **more)
        finally:
            requests.append((time.perf_counter_ns() - began) / 1e6)

    with patch.object(HTTPAdapter, "send", send), contextlib.redirect_stderr(io.StringIO()):
        milliseconds = issue()
    beside = milliseconds - sum(requests)
    return {"requests": len(requests), "milliseconds": milliseconds, "beside": beside}


def issue() -> float:
    """Milliseconds of the command."""
    began = time.perf_counter_ns()
    from conda_token_plugin.plugin import token

    with contextlib.redirect_stdout(io.StringIO()):
        code = token(("install", "--org", "acme", "--yes"))
    if code:
        raise SystemExit(code)
    return (time.perf_counter_ns() - began) / 1e6


if __name__ == "__main__":
    measured = main()
    sys.stdout.write("\n" + json.dumps(measured))

"""Prepare a request in many threads at once: ``threads.py BASE COUNT``, in any conda.

Prints the milliseconds until all are ready, and how often files of the plugin's store were opened.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from conda.base.context import reset_context
from conda.gateways.connection.session import get_session
from conda.plugins.manager import get_plugin_manager
from requests import Request

OPENED: list[str] = []


def note(event: str, arguments: tuple[object, ...]) -> None:
    """Record the path of each file that is opened, as an audit hook."""
    if event == "open":
        OPENED.append(str(arguments[0]))


def prepare(base: str, number: int, start: threading.Barrier) -> None:
    """Make a session and prepare a request, in one thread."""
    url = f"{base}noarch/package-{number:05}-1.0-0.conda"
    start.wait()
    get_session(url).prepare_request(Request("GET", url))


def main(base: str, count: int) -> dict[str, float]:
    """Start the threads, release them at once, and wait for the last one."""
    reset_context()
    get_plugin_manager()
    start = threading.Barrier(count + 1)
    threads = [threading.Thread(target=prepare, args=(base, n, start)) for n in range(count)]
    for thread in threads:
        thread.start()
    sys.addaudithook(note)
    began = time.perf_counter_ns()
    start.wait()
    for thread in threads:
        thread.join()
    milliseconds = (time.perf_counter_ns() - began) / 1e6
    index = sum("index.json" in path for path in OPENED)
    secret = sum("secrets" in path for path in OPENED)
    return {"milliseconds": milliseconds, "index": index, "secret": secret}


if __name__ == "__main__":
    measured = main(sys.argv[1], int(sys.argv[2]))
    sys.stdout.write("\n" + json.dumps(measured))

"""What a URL costs: ``urls.py BASE COUNT ENTRIES``, in any conda. Prints microseconds.

For each of COUNT new URLs below BASE: ``get_session(url)`` and ``prepare_request``, as conda does
it before a download. The first one also pays for what is done once a process.

If ENTRIES is not 0, a handler that does nothing is registered, and so many entries of
``channel_settings`` name it, the last of them for BASE: what conda itself takes for any handler.
"""

from __future__ import annotations

import json
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from conda.base.context import context, reset_context
from conda.gateways.connection.session import get_session
from conda.plugins.manager import get_plugin_manager
from requests import Request

if TYPE_CHECKING:
    from requests import PreparedRequest

WARM_UP = "https://conda.anaconda.org/conda-forge/noarch/repodata.json"


def prepared(url: str) -> PreparedRequest:
    """What conda does before it downloads ``url``."""
    request: PreparedRequest = get_session(url).prepare_request(Request("GET", url))
    return request


def cost(url: str) -> float:
    """Microseconds from a new URL to a request that is ready to be sent."""
    began = time.perf_counter_ns()
    prepared(url)
    return (time.perf_counter_ns() - began) / 1000


class Nothing:
    """A handler that does nothing."""

    def __init__(self, channel_name: str) -> None:
        """As conda calls it."""
        self.channel_name = channel_name

    def __call__(self, request: object) -> object:
        """Do nothing."""
        return request


def register_nothing(base: str, entries: int) -> None:
    """Have a handler that does nothing, named by ``entries`` entries of ``channel_settings``."""
    from conda.plugins import hookimpl
    from conda.plugins.types import CondaAuthHandler

    def conda_auth_handlers() -> list[CondaAuthHandler]:
        return [CondaAuthHandler(name="nothing", handler=Nothing)]

    plugin = SimpleNamespace(conda_auth_handlers=hookimpl(conda_auth_handlers))
    context.plugin_manager.register(plugin, "nothing")
    others = [f"{base.rpartition('/acme/')[0]}/other-{number:05}/*" for number in range(entries)]
    globs = [*others[1:], f"{base}*"]
    context.channel_settings = tuple({"channel": g, "auth": "nothing"} for g in globs)


def main(base: str, count: int, entries: int) -> dict[str, Any]:
    """As conda does at its start, then once for a URL that nobody has a handler for."""
    reset_context()
    get_plugin_manager()
    if entries:
        register_nothing(base, entries)
    prepared(WARM_UP)
    urls = [f"{base}noarch/package-{number:05}-1.0-0.conda" for number in range(count)]
    costs = [cost(url) for url in urls]
    return {"costs": costs, "authorized": "Authorization" in prepared(urls[0]).headers}


if __name__ == "__main__":
    measured = main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write("\n" + json.dumps(measured))

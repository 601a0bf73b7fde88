"""Measure the time of a URL: ``urls.py BASE COUNT HANDLER``, in any conda. Prints microseconds.

For each of COUNT new URLs below BASE: ``get_session(url)`` and ``prepare_request``, as conda does
it before a download. The first one also pays for what is done once a process.

HANDLER is "none", or one that is registered and named by an entry of ``channel_settings`` for BASE:
"idle" imports as many modules as a request does and does nothing, "conda's" does what conda does
where there is no handler. They show what conda and Python themselves take for any handler.
"""

from __future__ import annotations

import json
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from conda.base.context import context, reset_context
from conda.gateways.connection.session import CondaHttpAuth, get_session
from conda.plugins.manager import get_plugin_manager
from requests import Request

if TYPE_CHECKING:
    from requests import PreparedRequest

WARM_UP = "https://conda.anaconda.org/conda-forge/noarch/repodata.json"


def prepared(url: str) -> PreparedRequest:
    """Do what conda does before it downloads ``url``."""
    request: PreparedRequest = get_session(url).prepare_request(Request("GET", url))
    return request


def cost(url: str) -> float:
    """Return the microseconds from a new URL to a request that is ready to be sent."""
    began = time.perf_counter_ns()
    prepared(url)
    return (time.perf_counter_ns() - began) / 1000


class Idle:
    """A handler of modules that do nothing."""

    def __init__(self, channel_name: str) -> None:
        """Accept what conda passes."""
        self.channel_name = channel_name

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Do nothing."""
        import idle.request  # type: ignore[import-not-found]  # noqa: F401  # made to be measured

        return request


class Condas(Idle):
    """A handler that does what conda does without one."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Look into netrc and binstar files."""
        CondaHttpAuth()(request)  # changes the request and returns it
        return request


HANDLERS = {"idle": Idle, "conda's": Condas}


def register(name: str, *, base: str) -> None:
    """Register the handler called ``name``, and have conda ask it about URLs below ``base``."""
    from conda.plugins import hookimpl
    from conda.plugins.types import CondaAuthHandler

    def conda_auth_handlers() -> list[CondaAuthHandler]:
        return [CondaAuthHandler(name=name, handler=HANDLERS[name])]

    plugin = SimpleNamespace(conda_auth_handlers=hookimpl(conda_auth_handlers))
    context.plugin_manager.register(plugin, name)
    context.channel_settings = ({"channel": f"{base}*", "auth": name},)


def main(base: str, count: int, handler: str) -> dict[str, Any]:
    """Prepare conda as at its start, then make one request for a URL without a handler."""
    reset_context()
    get_plugin_manager()
    if handler in HANDLERS:
        register(handler, base=base)
    prepared(WARM_UP)
    urls = [f"{base}noarch/package-{number:05}-1.0-0.conda" for number in range(count)]
    costs = [cost(url) for url in urls]
    return {"costs": costs, "authorized": "Authorization" in prepared(urls[0]).headers}


if __name__ == "__main__":
    measured = main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    sys.stdout.write("\n" + json.dumps(measured))

"""Requests as conda makes them, without a command: ``requested`` sends them on a machine.

As a script, it asks for URLs as conda does, one case after another, in one process.

A case: ``{"name", "files": {path below HOME: text}, "environment": {}, "urls": [], "method"}``.
Cases come on stdin as a JSON list; the outcomes go to stdout.
With ``--without`` the plugin is not there, as if it were not installed.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.machine import Machine, Ran

HOME = Path.home()
OWNED = HOME / ".conda" / "condarc.d" / "conda-token-plugin.yml"


def requested(machine: Machine, *urls: str, condarc: str = "", **variables: str) -> Ran:
    """Request ``urls`` as conda does on ``machine``, with this condarc and these variables."""
    case = {"name": "only", "urls": urls, "files": {".condarc": condarc}, "environment": variables}
    return machine.python(__file__, stdin=json.dumps([case])).well()


def hide_plugin() -> None:
    """Take the plugin's entry point, and its drop-in, away."""
    distributions = metadata.distributions
    metadata.distributions = lambda **by: (
        found for found in distributions(**by) if found.metadata["name"] != "conda-token-plugin"
    )
    OWNED.unlink()


def ask(case: dict[str, Any]) -> list[str]:
    """The outcome of each URL of ``case``: a status, or the name of an error."""
    before = dict(os.environ)
    written = [write(HOME / path, text) for path, text in case.get("files", {}).items()]
    os.environ.update(case.get("environment", {}))
    try:
        begin_anew()
        return [outcome(url, method=case.get("method", "GET")) for url in case["urls"]]
    finally:
        for path in written:
            path.unlink()
        os.environ.clear()
        os.environ.update(before)


def write(path: Path, text: str) -> Path:
    """Write a file, with the folders on the way to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return path


def begin_anew() -> None:
    """Have conda read its configuration again, as a new process would."""
    from conda.base.context import reset_context
    from conda.gateways.connection.session import CondaSession, get_session
    from conda.models.channel import Channel

    reset_context()
    get_session.cache_clear()
    CondaSession.cache_clear()
    Channel._reset_state()
    if "conda_token_plugin.auth.fallback" in sys.modules:
        sys.modules["conda_token_plugin.auth.fallback"].other_entries.cache_clear()


def outcome(url: str, *, method: str) -> str:
    """What came of one request, sent as conda sends it."""
    from conda.gateways.connection.session import get_session

    try:
        session = get_session(url)
        response = session.request(method, url, proxies=session.proxies, timeout=10)
    except Exception as error:  # noqa: BLE001  # to be compared: is it the same without us?
        return type(error).__name__
    return f"{response.status_code} after {len(response.history)}"


def register_neighbours() -> None:
    """Two plugins of somebody else: an auth handler and a header for every request."""
    from fnmatch import fnmatch

    from conda.base.context import Context, context
    from conda.gateways.connection import session
    from conda.plugins import hookimpl
    from conda.plugins.types import ChannelAuthBase, CondaAuthHandler, CondaRequestHeader

    class Theirs(ChannelAuthBase):  # type: ignore[misc]  # conda's types are skipped
        """Finds a setting of its own as anaconda-auth does: in the last entry that fits."""

        def __init__(self, channel_name: str) -> None:
            super().__init__(channel_name)
            entries = [
                entry
                for entry in Context().channel_settings
                if fnmatch(f"{channel_name}/", entry.get("channel", ""))
            ]
            self.note = entries[-1].get("note", "none") if entries else "nowhere"

        def __call__(self, request: Any) -> Any:
            request.headers["Authorization"] = f"Theirs {self.channel_name} {self.note}"
            return request

    class Neighbours:
        @hookimpl  # type: ignore[untyped-decorator]  # conda's
        def conda_auth_handlers(self) -> Any:
            yield CondaAuthHandler(name="theirs", handler=Theirs)

        @hookimpl  # type: ignore[untyped-decorator]  # conda's
        def conda_request_headers(self) -> Any:
            yield CondaRequestHeader(name="X-Theirs", value="of every request")

    context.plugin_manager.register(Neighbours())
    # Nobody sits at a terminal to be asked.
    session.get_proxy_username_and_pass = lambda _scheme: ("ann", "of the proxy")


def main() -> None:
    """Ask for everything."""
    if "--without" in sys.argv:
        hide_plugin()
    register_neighbours()
    cases = json.load(sys.stdin)
    print(json.dumps({case["name"]: ask(case) for case in cases}))  # noqa: T201  # its answer


if __name__ == "__main__":
    main()

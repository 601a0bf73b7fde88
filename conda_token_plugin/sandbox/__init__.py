"""A local organization service with its protected repository, for the demo and the tests.

    python -m conda_token_plugin.sandbox [--host NAME] [--port N]
                                         [--certificate FILE --private-key FILE]

serves on 127.0.0.1 until Ctrl-C or SIGTERM. It first prints one line of JSON: `{"service": URL,
"repo": URL, "api_key": KEY, "organizations": [SLUG, …]}`. A second one with `--host localhost` is
another site: it accepts none of the credentials of the first. In Python:

    with Sandbox.start() as sandbox:
        token = sandbox.world.issue("acme", "ada")
        sandbox.fail_next("/api/account", status=502, body=b"<h1>Bad gateway</h1>")
        sandbox.clock.advance(timedelta(days=300))
        assert not sandbox.requests

`world.cast` lists users and organizations, `repository.channels` the packages. A test in Python
calls methods of `sandbox.world`; another process sends the same as HTTP requests to `control`.

The sandbox behaves like the real service as far as that is known from public clients and
documentation. `world.model`, `http.refusals`, `repository.admission` and `service.admin` say what
is an assumption. Nothing here imports the rest of the package, and it is not imported there.

A request passes through `http.server` (sockets), `http.router` (faults, record) and a module with
routes (in `service`, `repository`, `control`) to `world.world`, which has the state and applies
the rules of `world.model`.
"""

from __future__ import annotations

from conda_token_plugin.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]

"""A local organization service with its protected repository, for the demo and the tests.

    python -m conda_token_plugin.sandbox [--port N] [--certificate FILE --private-key FILE]

serves on 127.0.0.1 until Ctrl-C or SIGTERM, and first prints one line of JSON: `{"service": URL,
"repo": URL, "api_key": KEY, "organizations": [SLUG, …]}`. In Python:

    with Sandbox.start() as sandbox:
        token = sandbox.world.issue("acme", "ada")
        sandbox.fail_next("/api/account", status=502, body=b"<h1>Bad gateway</h1>")
        sandbox.clock.advance(timedelta(days=300))
        assert not sandbox.requests

`cast` tells who is in it, `channels` what there is to install. What a test in Python calls on
`sandbox.world`, a test of a subprocess asks for over HTTP: see `control` and `probes`.

It behaves like the real service as far as that is known from public clients and documentation.
Where nothing is known it takes a stand, and says so: see `model`, `refusals`, `admission` and
`admin`. Nothing here imports the rest of the package, nor the other way round.

The way of a request: `server` (sockets) → `router` (faults, record) → one of the route modules
`organizations`, `login`, `admin`, `repository`, `control`, `probes` → `world` (state), by the rules
in `model`.
"""

from __future__ import annotations

from conda_token_plugin.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]

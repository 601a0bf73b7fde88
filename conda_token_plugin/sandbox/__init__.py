"""A local organization service with its protected repository, for the demo and the tests.

    python -m conda_token_plugin.sandbox [--port N]

serves on 127.0.0.1 until Ctrl-C, and first prints one line of JSON: `{"service": URL, "repo": URL,
"api_key": KEY, "organizations": [SLUG, …]}`. In Python:

    with Sandbox.start() as sandbox:
        sandbox.service, sandbox.url_of("acme", "main"), sandbox.world.issue("acme", "ada")

It behaves like the real service as far as that is known from public clients and documentation;
where nothing is known, it takes a stand and says so (`organizations`, `admission`). Nothing here
is imported by the rest of the package, nor the other way round.

The way of a request: `server` (sockets) → `router` (faults, record) → one of the route modules
`organizations`, `repository` → `world` (state) by the rules of `model`.
"""

from __future__ import annotations

from .sandbox import Sandbox

__all__ = ["Sandbox"]

"""Other tools' credentials: one module a client, to read them (import) and write them (export).

| module | reads | writes |
|---|---|---|
| ``rattler`` | credentials file, keyring | credentials file, keyring (also for pixi) |

``exporting`` brings tokens to the clients and takes them back; ``ledger`` remembers what is where.
The formats and their limits: run with the real clients, see each module.
"""

from __future__ import annotations

"""Solve and install with py-rattler: `python -m … CHANNELS PACKAGES PREFIX`.

py-rattler reads the credentials that `conda-token-plugin export rattler` wrote.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path


async def install(channels: list[str], packages: list[str], prefix: Path) -> list[str]:
    """Install ``packages`` into ``prefix``; return the names and versions of all that it needed."""
    from rattler import Client, Gateway, MatchSpec, Platform, VirtualPackage, solve
    from rattler import install as link

    # One client for both: without it, the gateway and the installer have no credentials.
    client = Client.default_client()
    records = await solve(
        channels,
        [MatchSpec(package) for package in packages],
        gateway=Gateway(client=client),
        platforms=[Platform.current(), Platform("noarch")],
        virtual_packages=VirtualPackage.detect(),
    )
    await link(records, target_prefix=prefix, client=client, show_progress=False)
    return sorted(f"{record.name.normalized} {record.version}" for record in records)


if __name__ == "__main__":
    installed = asyncio.run(install(sys.argv[1].split(), sys.argv[2].split(), Path(sys.argv[3])))
    print("installed:", ", ".join(installed), flush=True)  # noqa: T201  # its output
    # py-rattler 0.28 often aborts the process at its shutdown, after it has succeeded.
    os._exit(0)

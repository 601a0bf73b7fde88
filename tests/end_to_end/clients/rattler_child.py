"""Solve and install with py-rattler, in a process of its own: CHANNELS PACKAGES FOLDER.

py-rattler often aborts at the interpreter's end after it has succeeded: so we leave by ``_exit``.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from rattler import Channel, Client, Gateway, MatchSpec, Platform, VirtualPackage, install, solve


async def main(channels: list[str], packages: list[str], folder: Path) -> None:
    """Print the names of what was installed."""
    client = Client.default_client()
    gateway = Gateway(client=client, cache_dir=folder / "cache")
    records = await solve(
        [Channel(url) for url in channels],
        [MatchSpec(name) for name in packages],
        gateway=gateway,
        platforms=[Platform.current(), Platform("noarch")],
        virtual_packages=VirtualPackage.detect(),
    )
    await install(
        records,
        target_prefix=folder / "env",
        cache_dir=folder / "pkgs",
        client=client,
        show_progress=False,
    )
    sys.stdout.write(" ".join(sorted(record.name.normalized for record in records)))


if __name__ == "__main__":
    code = 1
    try:
        asyncio.run(main(sys.argv[1].split(), sys.argv[2].split(), Path(sys.argv[3])))
        code = 0
    except Exception as error:  # noqa: BLE001  # its exceptions have no common base
        sys.stdout.write(f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

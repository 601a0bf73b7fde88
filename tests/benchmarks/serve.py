"""Serve the sandbox with 200 more packages in a protected and in a public channel.

    python -m tests.benchmarks.serve FOLDER [CERTIFICATE PRIVATE_KEY]

With a certificate and its private key (PEM files), the sandbox serves https.
"""

from __future__ import annotations

import json
import signal
import ssl
import sys
import threading
from pathlib import Path
from shutil import rmtree

from conda_token_plugin.sandbox import Sandbox
from conda_token_plugin.sandbox.repository.channels import Channel, Recipe
from conda_token_plugin.sandbox.repository.packages import build_channel, build_channels

PACKAGES = 200
PROTECTED, PUBLIC = "acme/main", "anaconda-tools"


def recipes() -> tuple[Recipe, ...]:
    """Many small packages, and one that depends on all of them."""
    small = tuple(Recipe(f"small-{number:03}", "1.0", ".conda") for number in range(PACKAGES - 1))
    return (*small, Recipe("all", "1.0", ".conda", depends=tuple(one.name for one in small)))


def enlarge(channels: Path) -> None:
    """Put the same packages into both channels."""
    for path in (PROTECTED, PUBLIC):
        rmtree(channels / path)
        build_channel(Channel(path, recipes()), channels / path)


def main(folder: Path, *certificate: str) -> None:
    """Build the channels, print the addresses as JSON, and serve until SIGTERM."""
    channels = folder / "channels"
    if not channels.is_dir():
        enlarge(build_channels(folder))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with Sandbox.start(packages=folder, tls=_tls(*certificate)) as sandbox:
        token = sandbox.world.issue("acme", "ada")
        facts = {
            **sandbox.introduction(),
            "token": token.value,
            "protected": sandbox.url_of(PROTECTED),
            "public": sandbox.url_of(PUBLIC),
        }
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
        stop.wait()


def _tls(*certificate: str) -> ssl.SSLContext | None:
    if not certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

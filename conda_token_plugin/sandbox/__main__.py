"""The command `python -m conda_token_plugin.sandbox`."""

from __future__ import annotations

import argparse
import json
import signal
import ssl
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from conda_token_plugin.sandbox.http.server import HOSTS
from conda_token_plugin.sandbox.repository.libraries import MissingLibraryError
from conda_token_plugin.sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

PROG = "python -m conda_token_plugin.sandbox"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print the error in one line, without the usage."""
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit code: 0, 1 (cannot start) or 2 (usage)."""
    parser = _parser()
    options = parser.parse_args(argv)
    tls = _tls(parser, options.certificate, options.private_key)
    stop = _stop_event()
    try:
        with Sandbox.start(host=options.host, port=options.port, tls=tls) as sandbox:
            print(json.dumps(sandbox.introduction()), flush=True)  # noqa: T201 -- its output
            _wait(stop)
    except MissingLibraryError as e:  # installed without the demo extra
        return _fail(str(e))
    except OSError as e:  # the port is taken, or needs privileges
        return _fail(f"cannot serve on port {options.port}: {e.strerror or e}")
    return 0


def _parser() -> _Parser:
    parser = _Parser(prog=PROG, description="Serve a local organization service and repository.")
    parser.add_argument("--host", choices=HOSTS, default=HOSTS[0], help="name in all addresses")
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="default: a free one")
    parser.add_argument(
        "--certificate", metavar="FILE", help="serve https with this certificate (PEM)"
    )
    parser.add_argument(
        "--private-key", metavar="FILE", help="the private key of the certificate (PEM)"
    )
    return parser


def _tls(
    parser: _Parser, certificate: str | None, private_key: str | None
) -> ssl.SSLContext | None:
    if certificate is None and private_key is None:
        return None
    if certificate is None or private_key is None:
        parser.error("--certificate and --private-key go together")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, private_key)
    except OSError as e:  # not there, not PEM, or not a pair
        parser.error(f"cannot use {certificate} with {private_key}: {e.strerror or e}")
    return context


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 -- the largest there is
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number from 0 to 65535")
    return int(text)


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _wait(stop: threading.Event) -> None:
    # With a timeout, because Windows delivers no Ctrl-C to a thread that waits without one.
    while not stop.wait(timeout=1.0):
        pass


def _fail(message: str) -> int:
    sys.stderr.write(f"{PROG}: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

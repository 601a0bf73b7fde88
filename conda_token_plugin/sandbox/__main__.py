"""The command `python -m conda_token_plugin.sandbox`."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

from .libraries import MissingLibraryError
from .sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

PROG = "python -m conda_token_plugin.sandbox"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line."""
        self.exit(2, f"{self.prog}: {message} (see --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit code: 0, 1 (cannot start) or 2 (usage)."""
    port: int = _parser().parse_args(argv).port
    stop = _stop_event()
    try:
        with Sandbox.start(port=port) as sandbox:
            print(json.dumps(sandbox.introduction()), flush=True)  # noqa: T201 -- its output
            _wait(stop)
    except MissingLibraryError as e:  # installed without the demo extra
        return _fail(str(e))
    except OSError as e:  # the port is taken, or needs privileges
        return _fail(f"cannot serve on port {port}: {e.strerror or e}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog=PROG, description="Serve a local organization service and repository.")
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="default: a free one")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 -- the largest there is
        raise argparse.ArgumentTypeError(f"{text!r} is no port number from 0 to 65535")
    return int(text)


def _stop_event() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _wait(stop: threading.Event) -> None:
    # In slices, because Windows delivers no Ctrl-C to a thread that waits without end.
    while not stop.wait(timeout=1.0):
        pass


def _fail(message: str) -> int:
    sys.stderr.write(f"{PROG}: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

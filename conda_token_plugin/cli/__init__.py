"""The command line: one ``main`` for ``conda token …`` and ``conda-token-plugin …``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CONDA_PROG = "conda token"
SCRIPT_PROG = "conda-token-plugin"


def main(argv: Sequence[str], *, prog: str = CONDA_PROG) -> int:
    """Run one command and return its exit code (the table is in ``errors``).

    This is the only place that catches every error of the plugin. Any other exception is a bug,
    and its traceback is shown.
    """
    from conda_token_plugin.cli.output import Printer
    from conda_token_plugin.cli.parser import parsed
    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.errors.outcome import Interrupted, MissingLibrary

    printer = Printer.of(argv, prog=prog)
    try:
        return _run(parsed(argv, prog=prog), printer=printer, prog=prog)
    except TokenPluginError as error:
        printer.failed(error)
        return error.exit_code
    except ModuleNotFoundError as error:
        missing = MissingLibrary.of(error)
        if missing is None:
            raise
        printer.failed(missing)
        return missing.exit_code
    except KeyboardInterrupt:  # Ctrl-C outside of a prompt
        printer.failed(Interrupted("Interrupted."))
        return Interrupted.exit_code
    except BrokenPipeError:  # the reader has closed the pipe: `conda token list | head -1`
        printer.discard()
        return 0
    except SystemExit as done:  # argparse after --help and --version
        return int(done.code or 0)


def script() -> int:
    """Run ``conda-token-plugin``, which has the same commands and needs no conda."""
    import sys

    return main(sys.argv[1:], prog=SCRIPT_PROG)


def _run(args: object, *, printer: object, prog: str) -> int:
    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.cli.parser import runner
    from conda_token_plugin.errors.outcome import Interrupted

    call = CommandContext.of(args, printer=printer, prog=prog)  # type: ignore[arg-type]  # `object`: not imported
    try:
        with call.clock.in_use():
            return runner(call.args.verb)(call)
    except Interrupted as error:
        if not call.logged_in or error.what != Interrupted().what:
            raise
        raise Interrupted("Interrupted: you are logged in now, and no token was issued.") from None
    finally:
        call.print_notices()

"""Run the health checks for ``conda doctor``, with conda's settings and its prompts."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conda.base.context import context

from conda_token_plugin.cli.output import Printer
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.outcome import MissingLibrary
from conda_token_plugin.operations.health_checks import CheckContext, problems, report
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conda_token_plugin.operations.health_checks import Problem


def examine(check: str, prefix: str, verbose: bool) -> None:  # noqa: ARG001, FBT001  # conda's form
    """Run one check, and print what it found."""
    found = _problems(check, prefix)
    if found is not None:
        Printer().data(None, text=report(check, found) + "\n")


def fix(check: str, prefix: str, args: Any, confirm: Callable[[str], None]) -> int:  # noqa: ARG001  # conda's form
    """Ask, then fix what one check found. Return 1 if something could not be fixed."""
    printer, found = Printer(), _problems(check, prefix)
    if found is None:
        return 1
    fixable = [one for one in found if one.fix is not None]
    if not fixable:
        printer.data(None, text=f"{check}: no problem can be fixed automatically.")
        return 0
    for one in fixable:
        printer.data(None, text=f"  - {one.what}")
    confirm(f"Fix {'this' if len(fixable) == 1 else f'these {len(fixable)}'}?")
    failed = sum(not _fixed(one, printer=printer) for one in fixable)
    return int(failed > 0)


def _problems(check: str, prefix: str) -> Sequence[Problem] | None:
    """Return what a check finds; if a library is missing, say so and return None."""
    try:
        return problems(check, _context(prefix))
    except ModuleNotFoundError as error:
        Printer().failed(_missing(error))
        return None


def _missing(error: ModuleNotFoundError) -> MissingLibrary:
    """Return the error about a missing library; raise ``error`` if it is not one of ours."""
    missing = MissingLibrary.of(error)
    if missing is None:
        raise error
    return missing


def _fixed(one: Problem, *, printer: Printer) -> bool:
    """Correct the problem. Print why and return False if that fails."""
    try:
        if one.fix is not None:
            one.fix()
    except (TokenPluginError, OSError) as error:  # a file of another user, a locked keyring
        printer.warn(str(error))
        return False
    except ModuleNotFoundError as error:
        printer.failed(_missing(error))
        return False
    return True


def _context(prefix: str) -> CheckContext:
    return CheckContext(
        settings=Settings(),
        prefix=Path(prefix),
        now=datetime.now(timezone.utc),
        channel_settings=context.channel_settings,
        origins=_origins(),
    )


def _origins() -> dict[str, str]:
    """Map the channel of each entry to its file. The last file has precedence, as in conda."""
    return {
        entry.get("channel", ""): str(source)
        for source, content in context.collect_all().items()
        for entry in content.get("channel_settings", ())
    }

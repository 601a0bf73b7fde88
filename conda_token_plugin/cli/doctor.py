"""Run the health checks for ``conda doctor``, with conda's settings and its prompts."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conda.base.context import context

from conda_token_plugin.cli.output import Printer
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.outcome import MissingLibrary
from conda_token_plugin.operations.health_checks import CheckContext, complaints, report
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from conda_token_plugin.operations.health_checks import Problem


def examine(check: str, prefix: str, verbose: bool) -> None:  # noqa: ARG001, FBT001  # conda's form
    """Run one check, and print what it found."""
    try:
        found = complaints(check, _patient(prefix))
    except ModuleNotFoundError as error:
        missing = MissingLibrary.of(error)
        if missing is None:
            raise
        Printer().failed(missing)
        return
    Printer().data(None, text=report(check, found) + "\n")


def mend(check: str, prefix: str, args: Any, confirm: Callable[[str], None]) -> int:  # noqa: ARG001  # conda's form
    """Ask, then fix what one check found. Return 1 if something could not be fixed."""
    printer = Printer()
    mendable = [one for one in complaints(check, _patient(prefix)) if one.remedy is not None]
    if not mendable:
        printer.data(None, text=f"{check}: nothing here can be fixed automatically.")
        return 0
    for one in mendable:
        printer.data(None, text=f"  - {one.what}")
    confirm(f"Fix {'this' if len(mendable) == 1 else f'these {len(mendable)}'}?")
    failed = sum(not _mended(one, printer=printer) for one in mendable)
    return int(failed > 0)


def _mended(one: Problem, *, printer: Printer) -> bool:
    """Apply the remedy. Print why and return False if it fails."""
    try:
        if one.remedy is not None:
            one.remedy()
    except (TokenPluginError, OSError) as error:  # a file of another user, a locked keyring
        printer.warn(str(error))
        return False
    return True


def _patient(prefix: str) -> CheckContext:
    return CheckContext(
        settings=Settings(),
        prefix=Path(prefix),
        now=datetime.now(timezone.utc),
        channel_settings=context.channel_settings,
        origins=_origins(),
    )


def _origins() -> dict[str, str]:
    """Map the channel of each entry to its file. The last file wins, as it does in conda."""
    return {
        entry.get("channel", ""): str(source)
        for source, content in context.collect_all().items()
        for entry in content.get("channel_settings", ())
    }

"""How exports are told to the user, by ``export`` and by ``remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.integrations.dotenv import by_variable
from conda_token_plugin.operations.export_tokens import ExportOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.integrations.docker import Recipe
    from conda_token_plugin.integrations.target import Grant
    from conda_token_plugin.operations.export_tokens import Step
    from conda_token_plugin.operations.revert_export import ExportResult


def report(
    call: CommandContext,
    steps: Sequence[Step],
    *,
    job: Path | None,
    grants: Sequence[Grant],
    recipe: Recipe | None,
) -> None:
    """Say what was written where, and what the user should know of it."""
    notes = list(dict.fromkeys(n for step in steps for n in step.target.notes(step.grant)))
    names = [*by_variable(grants)] if job else []
    for step in steps:
        call.printer.say(_line(step, dry_run=call.args.dry_run))
    for name in names:
        verb = "Would set" if call.args.dry_run else "Set"
        call.printer.say(f"{verb} {name} for the next steps of this job, masked in its log.")
    for note in notes:
        call.printer.say(f"Note: {note}")
    value = {"exported": [_written(step) for step in steps], "dry_run": call.args.dry_run}
    value |= {"notes": notes, "variables": names}
    value |= {"docker": recipe.as_json()} if recipe else {}
    call.printer.data(value, text=recipe.text if recipe else "")


def report_taken_back(call: CommandContext, results: Sequence[ExportResult]) -> None:
    """Say what was taken back, and warn of what was not."""
    for one in results:
        record = one.record
        line = (
            f"Export to {record.target}, the token of {record.organization} for {record.key} "
            f"in {record.place}: {one.outcome.value}."
        )
        if one.failed:
            call.printer.warn(f"{line} {one.reason}")
        else:
            call.printer.say(line)


def taken_back(one: ExportResult) -> dict[str, Any]:
    """The ``--json`` form of what was taken back."""
    return {
        "target": one.record.target,
        "organization": one.record.organization,
        "place": one.record.place,
        "key": one.record.key,
        "outcome": one.outcome.value,
    }


def _written(step: Step) -> dict[str, Any]:
    return {
        "target": step.target.name,
        "organization": step.grant.token.organization,
        "last_four": step.grant.secret.last_four,
        "place": step.place.name,
        "key": step.entry.key,
        "outcome": step.outcome.value,
    }


def _line(step: Step, *, dry_run: bool) -> str:
    if step.outcome is ExportOutcome.UNCHANGED:
        did = "Is there already:"
    else:
        did = "Would write" if dry_run else "Wrote"
    token = step.grant.token
    return (
        f"{did} the token …{step.grant.secret.last_four} of {token.organization} "
        f"for {step.entry.key} in {step.place.name} ({step.target.name})."
    )

"""Copy a stored token to another tool, where that tool looks for it; or remove the copy.

Examples:
  conda token export rattler pixi
  conda token export micromamba --org acme --dry-run
  conda token export pixi --api-key
  conda token export rattler --remove

Targets: rattler, pixi, mamba, micromamba, conda (without this plugin), netrc, dotenv
(./.env), github-actions (the next steps of the job, masked), docker (prints lines for a
Dockerfile).

Other entries in the file of a tool are kept, and a credential of another program is never
replaced. When the token is reissued, the copies are refreshed; `conda token remove`
removes them. No token is printed, except in the masks that GitHub Actions needs.

rattler, pixi and mamba store one credential for each host. With --api-key they get the
API key as a bearer token, which works for all organizations on the host. mamba needs the
API key for channels without shards, so you are asked before a token is written for it.
"""

from __future__ import annotations

from argparse import BooleanOptionalAction
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.outcome import CheckFailed
from conda_token_plugin.integrations import docker, github_actions
from conda_token_plugin.integrations.dotenv import by_variable
from conda_token_plugin.integrations.registry import TARGETS, UNRECORDED
from conda_token_plugin.operations import export_tokens, exported_copies
from conda_token_plugin.operations.export_record import ExportOutcome, ExportRecord
from conda_token_plugin.operations.export_tokens import api_key_for, tokens_for, with_secret
from conda_token_plugin.settings import expanded
from conda_token_plugin.tokens.display import capitalized, named, next_step

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.integrations.target import Grant, Target
    from conda_token_plugin.operations.export_tokens import Step
    from conda_token_plugin.store.sources import Credential


def configure(parser: ArgumentParser) -> None:
    """Add the targets and the options."""
    names = (*TARGETS, *UNRECORDED)
    parser.add_argument(
        "targets",
        nargs="+",
        choices=names,
        metavar="TARGET",
        help=f"one or more of: {', '.join(names)}",
    )
    parser.add_argument(
        "-o", "--org", action="append", default=[], help="only this organization's token"
    )
    parser.add_argument(
        "--api-key", action="store_true", help="the API key, which all your organizations accept"
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="show what would be done")
    parser.add_argument("--remove", action="store_true", help="remove what was exported")
    parser.add_argument("--file", metavar="F", help="write to F instead of the tool's own file")
    parser.add_argument(
        "--keyring",
        action=BooleanOptionalAction,
        default=None,
        help="use the system keyring if the tool reads it (default: as the token is stored)",
    )


def run(call: CommandContext) -> int:
    """Export to all named targets, or remove from them. An error is raised before any change."""
    names = list(dict.fromkeys(call.args.targets))
    return _remove(call, names) if call.args.remove else _export(call, names)


def _export(call: CommandContext, names: Sequence[str]) -> int:
    found = _found(call)
    job = github_actions.file_of(call.settings) if github_actions.NAME in names else None
    targets = [TARGETS[name] for name in names if name in TARGETS]
    _confirm_missing_tools(call, targets)
    _warn_of_unusable(call, found)
    needs_secrets = bool(targets) or job is not None
    grants = [with_secret(one) for one in found] if needs_secrets else []
    _confirm_limits(call, targets, grants=grants)
    if job is not None:
        by_variable(grants)  # raises before anything is written
    steps = _write(call, targets, grants=grants, found=found)
    if job is not None:
        _write_job(call, job, grants=grants)
    recipe = docker.recipe([one.token for one in found]) if docker.NAME in names else None
    _report(call, steps, job=job, grants=grants, recipe=recipe)
    return 0


def _found(call: CommandContext) -> tuple[Credential, ...]:
    """Return the tokens to export, or with `--api-key` the API key."""
    if not call.args.api_key:
        return tokens_for(call.args.org, settings=call.settings, stores=call.stores())
    if call.args.org or docker.NAME in call.args.targets:
        raise BadInput("--api-key exports no token: leave out --org and the target docker.")
    return (api_key_for(call.settings, stores=call.stores()),)


def _write(
    call: CommandContext,
    targets: Sequence[Target],
    *,
    grants: Sequence[Grant],
    found: Sequence[Credential],
) -> tuple[Step, ...]:
    """Plan, and write unless it is a dry run, under the lock."""
    settings, file, keyring = call.settings, call.args.file, call.args.keyring
    if keyring is None:
        keyring = any(one.source == "keyring" for one in found)
    with _locked(call):
        steps: tuple[Step, ...] = ()
        for target in targets:
            keyring_or_file = target.place(settings, keyring=keyring)
            place = target.place_at(expanded(file)) if file else keyring_or_file
            steps += export_tokens.plan(grants, target=target, place=place, settings=settings)
        if not call.args.dry_run:
            export_tokens.write_steps(steps, settings=call.settings)
    return steps


def _write_job(call: CommandContext, job: Path, *, grants: Sequence[Grant]) -> None:
    """Print the masks, then set the variables.

    With ``--json`` the masks go to stderr, which the runner also reads.
    """
    if call.args.dry_run:
        return
    masks = "\n".join(github_actions.masks(grants))
    if call.printer.json:
        call.printer.ask(f"{masks}\n")
    else:
        call.printer.data(None, text=masks)
    github_actions.append(job, grants=grants)


def _remove(call: CommandContext, names: Sequence[str]) -> int:
    for name in names:
        if name in UNRECORDED:
            raise BadInput(f"{name} stores nothing that could be removed.")
    with _locked(call):
        records = [
            record
            for record in ExportRecord(call.settings).records()
            if record.target in names
            and (not call.args.org or record.organization in call.args.org)
        ]
        results = exported_copies.remove_copies(
            records, settings=call.settings, dry_run=call.args.dry_run
        )
    call.report_copies(results)
    if not results:
        call.printer.say("Nothing was exported there.")
    call.printer.data({"removed": [one.as_json() for one in results]})
    return CheckFailed.exit_code if any(one.failed for one in results) else 0


def _confirm_missing_tools(call: CommandContext, targets: Sequence[Target]) -> None:
    """Ask before a secret is written for a tool that is not installed.

    Raises as `Prompts.confirm`. Nothing was changed.
    """
    for one in targets:
        if not (call.args.dry_run or call.args.file or one.installed(call.settings)):
            call.prompts.confirm(f"{one.name} was not found here. Write its file anyway?")


def _confirm_limits(
    call: CommandContext, targets: Sequence[Target], *, grants: Sequence[Grant]
) -> None:
    """Ask before a token is written for a tool that can use it for some channels only.

    Raises as `_confirm_missing_tools`; also BadInput, if a tool cannot send a token at all.
    """
    if call.args.dry_run:
        return
    entries = (one for target in targets for grant in grants for one in target.entries(grant))
    for limit in dict.fromkeys(one.limit for one in entries if one.limit):
        call.prompts.confirm(f"{limit} Write the token anyway?")


def _warn_of_unusable(call: CommandContext, found: Sequence[Credential]) -> None:
    for one in found:
        state = one.token.state(now=call.now)
        if not state.usable:
            call.printer.warn(
                f"{capitalized(named(one.token))} is {state.value}, so servers will reject it "
                f"from other tools, too. {next_step(one.token, source=one.source)}"
            )


def _locked(call: CommandContext) -> AbstractContextManager[object]:
    """Return the lock; a dry run takes none, because it must not create a file."""
    return nullcontext() if call.args.dry_run else ExportRecord(call.settings).held()


def _report(
    call: CommandContext,
    steps: Sequence[Step],
    *,
    job: Path | None,
    grants: Sequence[Grant],
    recipe: docker.Recipe | None,
) -> None:
    """Print what was written where, and what the user should know about it."""
    notes = list(dict.fromkeys(n for step in steps for n in step.target.notes(step.grant)))
    names = [*by_variable(grants)] if job else []
    for step in steps:
        call.printer.say(_line(step, dry_run=call.args.dry_run))
    for name in names:
        verb = "Would set" if call.args.dry_run else "Set"
        call.printer.say(f"{verb} {name} for the next steps of this job, masked in its log.")
    for note in notes:
        call.printer.say(f"Note: {note}")
    value = {"exported": [_entry(step) for step in steps], "dry_run": call.args.dry_run}
    value |= {"notes": notes, "variables": names}
    value |= {"docker": {"mounts": recipe.mounts, "secrets": recipe.secrets}} if recipe else {}
    call.printer.data(value, text=recipe.text if recipe else "")


def _entry(step: Step) -> dict[str, Any]:
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
        did = "Already there:"
    else:
        did = "Would write" if dry_run else "Wrote"
    name, entry = named(step.grant.token), step.entry
    return f"{did} {name} for {entry.key} in {step.place.name} ({step.target.name})."

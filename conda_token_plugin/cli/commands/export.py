"""Hand a stored token to another tool, where that tool looks for it; or take it back.

Examples:
  conda token export rattler pixi
  conda token export micromamba --org acme --dry-run
  conda token export rattler --remove

Targets: rattler, pixi, mamba, micromamba, conda (one without this plugin), netrc,
dotenv (./.env), github-actions (the job's next steps, masked), docker (prints what
to write into a Dockerfile). Everything else in a tool's file stays as it is, and
a credential that is already there is never replaced. `conda token remove` takes
exports back, too. It prints no token, but for the masks that GitHub Actions needs.
"""

from __future__ import annotations

from argparse import BooleanOptionalAction
from contextlib import nullcontext
from typing import TYPE_CHECKING

from conda_token_plugin.cli import exports
from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.outcome import CheckFailed
from conda_token_plugin.integrations import docker, github_actions
from conda_token_plugin.integrations.dotenv import by_variable
from conda_token_plugin.integrations.targets import TARGETS
from conda_token_plugin.operations import export_tokens, revert_export
from conda_token_plugin.operations.export_record import ExportRecord
from conda_token_plugin.operations.granting import found_for, granted
from conda_token_plugin.settings import expanded

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.integrations.target import Grant, Target
    from conda_token_plugin.operations.export_tokens import Step
    from conda_token_plugin.store.held_token import HeldToken

PASSING = (github_actions.NAME, docker.NAME)
"""Targets that keep nothing, so that nothing can be taken back."""


def configure(parser: ArgumentParser) -> None:
    """Say to whom, and which."""
    names = ", ".join((*TARGETS, *PASSING))
    parser.add_argument("targets", nargs="+", metavar="TARGET", help=f"one or more of: {names}")
    parser.add_argument(
        "-o", "--org", action="append", default=[], help="only this organization's token"
    )
    parser.add_argument("-n", "--dry-run", action="store_true", help="say what would be done")
    parser.add_argument("--remove", action="store_true", help="take back what was exported")
    parser.add_argument("--file", metavar="F", help="write here, not where the tool looks")
    parser.add_argument(
        "--keyring",
        action=BooleanOptionalAction,
        default=None,
        help="use the system keyring where the tool does, or do not (as the token is stored)",
    )


def run(call: CommandContext) -> int:
    """Write, or take back, all that is named; or stop before anything is changed."""
    names = list(dict.fromkeys(call.args.targets))
    for name in names:
        if name not in {*TARGETS, *PASSING}:
            raise _unknown(name)
    return _take_back(call, names) if call.args.remove else _hand_out(call, names)


def _hand_out(call: CommandContext, names: Sequence[str]) -> int:
    """Check everything, then write; data on stdout is for machines or for copying."""
    found = found_for(call.args.org, settings=call.settings, stores=call.stores())
    job = github_actions.file_of(call.settings) if github_actions.NAME in names else None
    targets = [TARGETS[name] for name in names if name in TARGETS]
    _agree(call, targets)
    _warn_of_dead(call, found)
    needs_secrets = bool(targets) or job is not None
    grants = [granted(one) for one in found] if needs_secrets else []
    if job is not None:
        by_variable(grants)  # raises, before anything is written
    steps = _write(call, targets, grants=grants, found=found)
    if job is not None:
        _give_job(call, job, grants=grants)
    recipe = docker.recipe([one.token for one in found]) if docker.NAME in names else None
    exports.report(call, steps, job=job, grants=grants, recipe=recipe)
    return 0


def _write(
    call: CommandContext,
    targets: Sequence[Target],
    *,
    grants: Sequence[Grant],
    found: Sequence[HeldToken],
) -> tuple[Step, ...]:
    """Plan, and unless it is a dry run write, while no other process exports."""
    keyring = call.args.keyring
    if keyring is None:
        keyring = any(one.source == "keyring" for one in found)
    with _alone(call):
        steps = tuple(
            step
            for target in targets
            for step in export_tokens.plan(
                grants,
                target=target,
                place=target.place_at(expanded(call.args.file))
                if call.args.file
                else target.place(call.settings, keyring=keyring),
                settings=call.settings,
            )
        )
        if not call.args.dry_run:
            export_tokens.carry_out(steps, settings=call.settings)
    return steps


def _give_job(call: CommandContext, job: Path, *, grants: Sequence[Grant]) -> None:
    """Mask first. With ``--json`` on stderr, which the runner reads, too."""
    if call.args.dry_run:
        return
    for line in github_actions.masks(grants):
        if call.printer.json:
            call.printer.ask(f"{line}\n")
        else:
            call.printer.data(None, text=line)
    github_actions.append(job, grants=grants)


def _take_back(call: CommandContext, names: Sequence[str]) -> int:
    for name in names:
        if name in PASSING:
            raise BadInput(f"{name} keeps nothing that could be taken back.")
    with _alone(call):
        doomed = [
            record
            for record in ExportRecord(call.settings).records()
            if record.target in names
            and (not call.args.org or record.organization in call.args.org)
        ]
        results = revert_export.take_back(doomed, settings=call.settings, dry_run=call.args.dry_run)
    exports.report_taken_back(call, results)
    if not results:
        call.printer.say("Nothing was exported there.")
    call.printer.data({"removed": [exports.taken_back(one) for one in results]})
    return CheckFailed.exit_code if any(one.failed for one in results) else 0


def _agree(call: CommandContext, targets: Sequence[Target]) -> None:
    """Ask before a secret is written where perhaps nobody reads it.

    Raises:
        NotConfirmed, NeedsAnswer, Interrupted: not agreed; nothing was changed.
    """
    for one in targets:
        if not (call.args.dry_run or call.args.file or one.installed(call.settings)):
            call.prompts.confirm(f"No {one.name} was found here. Write its file all the same?")


def _warn_of_dead(call: CommandContext, found: Sequence[HeldToken]) -> None:
    for one in found:
        state = one.token.state(now=call.now)
        if not state.usable:
            owner = one.token.organization
            call.printer.warn(
                f"The token of {owner} is {state.value}: other tools will be refused, too. "
                f"Run: conda token install --org {owner}"
            )


def _alone(call: CommandContext) -> AbstractContextManager[object]:
    """No other process exports meanwhile; a dry run leaves not even a lock."""
    return nullcontext() if call.args.dry_run else ExportRecord(call.settings).held()


def _unknown(name: str) -> BadInput:
    from difflib import get_close_matches

    known = (*TARGETS, *PASSING)
    close = get_close_matches(name, known, n=1)
    return BadInput(
        f"There is no export target {name!r}.",
        hint=f"Did you mean {close[0]}?" if close else f"Choose from: {', '.join(known)}.",
    )

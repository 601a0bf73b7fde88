"""Hand a stored token to another tool, where that tool looks for it; or take it back.

Examples:
  conda token export rattler
  conda token export rattler --org acme --dry-run
  conda token export rattler --remove

What else is in the tool's file stays as it is, and a credential that is already
there for the same host is never replaced. `conda token remove` takes exports back,
too. It never prints the token.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from conda_token_plugin.clients import exporting
from conda_token_plugin.clients.exporting import Outcome
from conda_token_plugin.clients.granting import found_for, granted
from conda_token_plugin.clients.ledger import Ledger
from conda_token_plugin.clients.targets import TARGETS, target
from conda_token_plugin.errors import CheckFailed

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from conda_token_plugin.cli.call import Call
    from conda_token_plugin.clients.exporting import Result, Step
    from conda_token_plugin.clients.model import Target


def configure(parser: ArgumentParser) -> None:
    """Say to whom, and which."""
    names = ", ".join(one.name for one in TARGETS)
    parser.add_argument("targets", nargs="+", metavar="TARGET", help=f"one or more of: {names}")
    parser.add_argument("-o", "--org", action="append", default=[], help="only this one's token")
    parser.add_argument("-n", "--dry-run", action="store_true", help="say what would be done")
    parser.add_argument("--remove", action="store_true", help="take back what was exported")


def run(call: Call) -> int:
    """Write, or take back, all that is named; or stop before anything is changed."""
    targets = [target(name) for name in dict.fromkeys(call.args.targets)]
    return _remove(call, targets) if call.args.remove else _export(call, targets)


def _export(call: Call, targets: Sequence[Target]) -> int:
    for one in targets:
        if not one.installed(call.environment):
            call.prompts.confirm(f"No {one.name} was found here. Write its file all the same?")
    steps = _steps(call, targets)
    call.printer.data({"exported": [_entry(step) for step in steps], "dry_run": call.args.dry_run})
    for line in dict.fromkeys(_lines(step, dry_run=call.args.dry_run) for step in steps):
        call.printer.say(line)
    notes = [note for step in steps for note in step.target.notes(step.grant)]
    for note in dict.fromkeys(notes):
        call.printer.say(f"Note: {note}")
    return 0


def _steps(call: Call, targets: Sequence[Target]) -> tuple[Step, ...]:
    """Plan, and unless it is a dry run write, while no other process exports."""
    found = found_for(call.args.org, environment=call.environment, stores=call.stores())
    grants = [granted(one) for one in found]
    keyring = any(one.source == "keyring" for one in found)
    with _alone(call):
        steps = tuple(
            step
            for one in targets
            for step in exporting.plan(
                grants, target=one, environment=call.environment, keyring=keyring
            )
        )
        if not call.args.dry_run:
            exporting.carry_out(steps, environment=call.environment)
    return steps


def _remove(call: Call, targets: Sequence[Target]) -> int:
    names = {one.name for one in targets}
    with _alone(call):
        doomed = [
            record
            for record in Ledger(call.environment).records()
            if record.target in names
            and (not call.args.org or record.organization in call.args.org)
        ]
        results = exporting.take_back(
            doomed, environment=call.environment, dry_run=call.args.dry_run
        )
    report(call, results)
    if not results:
        call.printer.say("Nothing was exported there.")
    call.printer.data({"removed": [result_entry(one) for one in results]})
    if any(one.outcome is Outcome.FAILED for one in results):
        raise CheckFailed("")
    return 0


def _alone(call: Call) -> AbstractContextManager[object]:
    """No other process exports meanwhile; a dry run leaves not even a lock."""
    return nullcontext() if call.args.dry_run else Ledger(call.environment).held()


def report(call: Call, results: Sequence[Result]) -> None:
    """Say what was taken back, and warn of what was not."""
    for one in results:
        record = one.record
        line = (
            f"{record.target}: the token of {record.organization} for {record.key} "
            f"in {record.place}: {one.outcome.value}."
        )
        if one.outcome is Outcome.FAILED:
            call.printer.warn(f"{line} {one.reason}")
        else:
            call.printer.say(line)


def result_entry(one: Result) -> dict[str, Any]:
    """The ``--json`` form of what was taken back."""
    return {
        "target": one.record.target,
        "organization": one.record.organization,
        "place": one.record.place,
        "key": one.record.key,
        "outcome": one.outcome.value,
    }


def _entry(step: Step) -> dict[str, Any]:
    return {
        "target": step.target.name,
        "organization": step.grant.token.organization,
        "last_four": step.grant.secret.last_four,
        "place": step.place.name,
        "key": step.entry.key,
        "outcome": step.outcome.value,
    }


def _lines(step: Step, *, dry_run: bool) -> str:
    did = {
        (Outcome.WRITTEN, False): "Wrote",
        (Outcome.WRITTEN, True): "Would write",
    }.get((step.outcome, dry_run), "Left as it is:")
    token = step.grant.token
    return (
        f"{did} the token …{step.grant.secret.last_four} of {token.organization} "
        f"for {step.entry.key} in {step.place.name} ({step.target.name})."
    )

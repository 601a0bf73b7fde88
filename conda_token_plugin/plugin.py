"""The hooks that conda calls.

conda imports this module and calls ``conda_subcommands`` on every command. So what a hook needs
is imported in the callable that conda runs on demand. No hook raises for a fault of ours.
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING

from conda.common.configuration import PrimitiveParameter
from conda.plugins import hookimpl
from conda.plugins.types import CondaAuthHandler, CondaPostCommand, CondaSetting, CondaSubcommand

from conda_token_plugin import HANDLER

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from conda import CondaError
    from conda.plugins.types import CondaErrorHint, CondaHealthCheck

EXPLAINED = (401, 403, 404)
"""Statuses that may have to do with a token."""
CHECKS = {
    "token-expiry": ("Tokens that have expired, or will soon", ""),
    "token-files": ("Files with tokens that other users can read", "Restrict their mode"),
    "token-leaks": ("Tokens in plain text", "Remove them from URLs"),
    "token-handler": ("Channels that conda requests without their token", "Rewrite the drop-in"),
    "token-conflicts": ("Other tokens for the same channels", ""),
    "token-keyring": ("Unused entries in the keyring", "Delete them"),
    "token-providers": ("Commands that supply credentials and cannot be run", ""),
}
"""The health checks: what each finds, and what its fixer does (empty: it has none)."""
USERS = {"install", "create", "update", "search", "env_create", "env_update"}
"""Commands that report at their end that a token they used expires soon."""


def __dir__() -> list[str]:
    """Return the names of the hooks only: pluggy inspects each name, which takes 10 µs."""
    return [name for name in globals() if name.startswith("conda_")]


def token(arguments: tuple[str, ...]) -> int:
    """Run ``conda token …``; ``conda --json token …`` is ``conda token --json …``."""
    from conda.base.context import context

    from conda_token_plugin.cli import main

    return main(("--json", *arguments) if context.json else arguments)


@hookimpl(wrapper=True)
def conda_subcommands() -> Generator[
    None, list[Iterable[CondaSubcommand]], list[list[CondaSubcommand]]
]:
    """Register ``token`` without a parser, in place of any other plugin's ``token``.

    Every conda command fails if two plugins register the same subcommand, and anaconda-auth,
    a part of Anaconda Distribution, has a ``token``. A wrapper sees what the others registered.
    """
    others = yield
    kept = [[command for command in plugin if command.name != "token"] for plugin in others]
    summary = "Issue, store and send your organization's access token."
    return [*kept, [CondaSubcommand(name="token", summary=summary, action=token)]]


@hookimpl
def conda_auth_handlers() -> Iterable[CondaAuthHandler]:
    """Register the handler that the drop-in names; called when a channel needs it."""
    from conda_token_plugin.auth.handler import TokenAuth

    yield CondaAuthHandler(name=HANDLER, handler=TokenAuth)


@hookimpl
def conda_error_hints(error: CondaError) -> Iterable[CondaErrorHint]:
    """Explain why a channel refused, with the next command; called for errors only (26.7)."""
    facts = getattr(error, "_kwargs", None) or {}
    if facts.get("status_code") not in EXPLAINED or not facts.keys() & {"url", "channel_url"}:
        return
    from conda_token_plugin.auth.error_hints import hint
    from conda_token_plugin.auth.handler import LOOKUP

    diagnosis = hint(facts, lookup=LOOKUP)
    if diagnosis is not None:
        from conda.plugins.types import CondaErrorHint

        yield CondaErrorHint(text=diagnosis.text, hint_code=f"conda_token_{diagnosis.code}")


@hookimpl
def conda_settings() -> Iterable[CondaSetting]:
    """Register the number of days before its expiry from which on a token is reported."""
    yield CondaSetting(
        name="token_warn_days",
        description="Days before a token expires in which commands that use it print a warning.",
        parameter=PrimitiveParameter(14, element_type=int),
    )


@hookimpl
def conda_post_commands() -> Iterable[CondaPostCommand]:
    """Register the report at the end of a command that may have used a token."""
    yield CondaPostCommand(name=HANDLER, action=warn_of_expiry, run_for=USERS)


def warn_of_expiry(_command: str) -> None:
    """Report tokens that this process has sent and that expire soon."""
    handler = sys.modules.get("conda_token_plugin.auth.handler")
    if handler is None or not handler.USED:
        return
    from conda.base.context import context

    from conda_token_plugin.auth.expiry import report
    from conda_token_plugin.auth.faults import faults_reported

    if context.json or context.quiet:
        return
    with faults_reported("tokens that expire soon are not reported"):
        report(
            {held.token: held.source for held in handler.USED.values()},
            repairs=handler.LOOKUP.notices,
            days=_warn_days(),
            now=datetime.now(timezone.utc),
        )


def _warn_days() -> int:
    """Return the setting ``token_warn_days``.

    Raises:
        BadInput: It is not a number.
    """
    from conda import CondaError
    from conda.base.context import context

    try:
        return int(context.plugins.token_warn_days)
    except CondaError as error:
        from conda_token_plugin.errors.input import BadInput

        raise BadInput(str(error)) from None


@hookimpl
def conda_health_checks() -> Iterable[CondaHealthCheck]:
    """Register the checks of ``conda doctor``, with fixers if conda has them (26.1)."""
    from conda.plugins.types import CondaHealthCheck

    fixes = "fixer" in getattr(CondaHealthCheck, "__dataclass_fields__", ())
    for name, (summary, remedy) in CHECKS.items():
        words = {"summary": summary} if fixes else {}
        fixer = {"fixer": partial(fix, name), "fix": remedy} if fixes and remedy else {}
        yield CondaHealthCheck(name=name, action=partial(examine, name), **words, **fixer)


def examine(check: str, prefix: str, verbose: bool) -> None:  # noqa: FBT001  # conda's form
    """Run one health check."""
    from conda_token_plugin.cli import doctor

    doctor.examine(check, prefix, verbose)


def fix(check: str, prefix: str, args: object, confirm: Callable[[str], None]) -> int:
    """Fix what a health check found."""
    from conda_token_plugin.cli import doctor

    return doctor.fix(check, prefix, args, confirm)

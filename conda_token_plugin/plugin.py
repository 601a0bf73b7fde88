"""conda's hooks and nothing else.

conda imports this module and calls ``conda_subcommands`` on every command, so whatever a hook
needs is imported inside of the callable that conda runs on demand.
"""

from __future__ import annotations

import sys
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

REFUSED = (401, 403)
CHECKS = {
    "token-expiry": ("Tokens that have expired, or will soon", ""),
    "token-files": ("Files with tokens that others can read", "Make them the owner's alone"),
    "token-leaks": ("Tokens in plain text", "Take them out of URLs"),
    "token-handler": ("Channels that conda asks without their token", "Write the drop-in anew"),
    "token-rivals": ("Other tokens for the same channels", ""),
    "token-keyring": ("Entries left behind in the keyring", "Delete them"),
}
"""The health checks: what each looks for, and what its fixer does."""
USERS = {"install", "create", "update", "search", "env_create", "env_update"}
"""Commands after which it is said that a token that they used expires soon."""


def __dir__() -> list[str]:
    """The hooks alone: pluggy looks at each name that it is told of, which takes it 10 µs."""
    return [name for name in globals() if name.startswith("conda_")]


def token(arguments: tuple[str, ...]) -> int:
    """Run ``conda token …``."""
    from conda_token_plugin.cli import main

    # In `conda --json token …`, conda has taken the option for itself.
    context = getattr(sys.modules.get("conda.base.context"), "context", None)
    return main(("--json", *arguments) if getattr(context, "json", False) else arguments)


@hookimpl(wrapper=True)
def conda_subcommands() -> Generator[
    None, list[Iterable[CondaSubcommand]], list[list[CondaSubcommand]]
]:
    """Register ``token`` without a parser, in place of any other plugin's ``token``.

    Two plugins with one subcommand name make every conda command fail, and anaconda-auth,
    part of Anaconda Distribution, has a ``token``. A wrapper sees what the others registered.
    """
    others = yield
    kept = [[command for command in plugin if command.name != "token"] for plugin in others]
    summary = "Issue, keep and send your organization's access token."
    return [*kept, [CondaSubcommand(name="token", summary=summary, action=token)]]


@hookimpl
def conda_auth_handlers() -> Iterable[CondaAuthHandler]:
    """Register the handler that the owned drop-in names; called when a channel asks for it."""
    from conda_token_plugin.auth.handler import TokenAuth

    yield CondaAuthHandler(name=HANDLER, handler=TokenAuth)


@hookimpl
def conda_error_hints(error: CondaError) -> Iterable[CondaErrorHint]:
    """Say why a channel refused, and what to run next; conda calls it for errors alone (26.7)."""
    facts = getattr(error, "_kwargs", None) or {}
    if facts.get("status_code") not in REFUSED or "url" not in facts:
        return
    from conda_token_plugin.auth.error_hints import hint

    diagnosis = hint(facts)
    if diagnosis is not None:
        from conda.plugins.types import CondaErrorHint

        yield CondaErrorHint(text=diagnosis.text, hint_code=f"conda_token_{diagnosis.code}")


@hookimpl
def conda_settings() -> Iterable[CondaSetting]:
    """How many days before it expires a token is warned of."""
    yield CondaSetting(
        name="token_warn_days",
        description="Days before a token expires from which on commands that use it say so.",
        parameter=PrimitiveParameter(14, element_type=int),
    )


@hookimpl
def conda_post_commands() -> Iterable[CondaPostCommand]:
    """After a command that may have used a token."""
    yield CondaPostCommand(name=HANDLER, action=warn_of_expiry, run_for=USERS)


def warn_of_expiry(_command: str) -> None:
    """Say that a token expires, if this process has sent one and it does; else cost nothing."""
    auth = sys.modules.get("conda_token_plugin.auth.handler")
    if auth is not None and auth.USED:
        auth.warn_of_expiry()


@hookimpl
def conda_health_checks() -> Iterable[CondaHealthCheck]:
    """What ``conda doctor`` looks at; the fixers are for those that have one (conda 26.1)."""
    from conda.plugins.types import CondaHealthCheck

    fixes = "fixer" in getattr(CondaHealthCheck, "__dataclass_fields__", ())
    for name, (summary, fix) in CHECKS.items():
        words = {"summary": summary} if fixes else {}
        mending = {"fixer": partial(mend, name), "fix": fix} if fixes and fix else {}
        yield CondaHealthCheck(name=name, action=partial(examine, name), **words, **mending)


def examine(check: str, prefix: str, verbose: bool) -> None:  # noqa: FBT001  # conda's form
    """Run one health check."""
    from conda_token_plugin.cli import doctor

    doctor.examine(check, prefix, verbose)


def mend(check: str, prefix: str, args: object, confirm: Callable[[str], None]) -> int:
    """Mend what a health check found."""
    from conda_token_plugin.cli import doctor

    return doctor.mend(check, prefix, args, confirm)

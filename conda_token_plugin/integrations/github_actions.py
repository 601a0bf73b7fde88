"""GitHub Actions: the token for the steps that follow, masked in the job's log.

``::add-mask::<value>`` on the job's output has the runner replace the value by ``***`` from then
on (https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
The mask has to come first. The file that ``GITHUB_ENV`` names is only appended to: the runner
reads it after the step, possibly as another user, so it is not replaced.
There is nothing to take back: the job's environment ends with the job.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.integrations.dotenv import by_variable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.integrations.target import Grant
    from conda_token_plugin.settings import Settings

NAME = "github-actions"


def file_of(settings: Settings) -> Path:
    """The file that variables for the next steps go to.

    Raises:
        BadInput: this is no job of GitHub Actions.
    """
    named = settings.variables.get("GITHUB_ENV")
    if not named:
        raise BadInput(
            "This is no job of GitHub Actions: GITHUB_ENV is not set.",
            hint="Run it in a step of a workflow, or use another target: dotenv.",
        )
    return Path(named)


def masks(grants: Iterable[Grant]) -> list[str]:
    """The lines that must be on the job's output before anything else."""
    return [f"::add-mask::{grant.secret.reveal()}" for grant in grants]


def append(path: Path, *, grants: Iterable[Grant]) -> None:
    """Set the variables for the steps that follow.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    named = by_variable(grants)
    lines = "".join(f"{name}={one.secret.reveal()}\n" for name, one in named.items())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:  # the runner makes the file; so this is no job
        raise ConfigurationError(
            path, reason=f"cannot be written: {error.strerror}", hint="Is this a job's step?"
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(lines)

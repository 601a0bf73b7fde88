"""GitHub Actions: set the token for the following steps of a job, masked in its log.

``::add-mask::<value>`` in the job's output makes the runner replace the value by ``***`` from then
on; ``%`` and line breaks in it are escaped (https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
The mask has to come first. The file that ``GITHUB_ENV`` names is only appended to, because the
runner reads it after the step, possibly as another user. Nothing has to be removed later: the
job's variables end with the job.
"""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.integrations.dotenv import by_variable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.integrations.target import Grant
    from conda_token_plugin.settings import Settings

NAME = "github-actions"


def file_of(settings: Settings) -> Path:
    """Return the file that sets variables for the next steps.

    Raises:
        BadInput: This process does not run in a job of GitHub Actions.
    """
    named = settings.variables.get("GITHUB_ENV")
    if not named:
        raise BadInput(
            "This is not a job of GitHub Actions: GITHUB_ENV is not set.",
            hint="Run it in a step of a workflow, or use another target: dotenv.",
        )
    return Path(named)


def masks(grants: Iterable[Grant]) -> list[str]:
    """Return the lines that must be printed before the variables are set."""
    return [f"::add-mask::{_escaped(grant.secret.reveal())}" for grant in grants]


def append(path: Path, *, grants: Iterable[Grant]) -> None:
    """Set the variables for the following steps.

    Raises:
        BadInput: Two tokens need the same variable.
        ConfigurationError: The file cannot be written.
    """
    named = by_variable(grants)
    lines = "".join(_assignment(name, one.secret.reveal()) for name, one in named.items())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:  # the runner creates the file before the step
        raise ConfigurationError(
            path,
            reason=f"cannot be written: {error.strerror}",
            hint="Run it in a step of a workflow.",
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(lines)


def _escaped(value: str) -> str:
    """Escape the data of a workflow command, as ``@actions/core`` does."""
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _assignment(name: str, value: str) -> str:
    """Return a heredoc, whose delimiter cannot be guessed, so that no value can end it."""
    delimiter = f"ghadelimiter_{token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"

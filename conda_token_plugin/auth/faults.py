"""Report faults of this plugin without stopping a command of conda.

Faults are logged, because standard output belongs to conda.
"""

from __future__ import annotations

import logging
from functools import cache
from threading import Lock
from traceback import extract_tb

from conda_token_plugin.errors import TokenPluginError

log = logging.getLogger(__name__)

NO_TOKEN = "requests go on without a token"  # noqa: S105  # a sentence, not a token
REFUSED_ELSEWHERE: dict[str, str] = {}
"""The host that refused a redirected request without the token, by the URL as conda reports it."""
_LOGGING = Lock()


class faults_reported:  # noqa: N801  # used like a function, as `contextlib.suppress`
    """Report what the block raises, and go on: no fault of ours may stop a conda command."""

    def __init__(self, consequence: str = NO_TOKEN) -> None:
        """``consequence`` is what does not happen because of the fault."""
        self._consequence = consequence

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, _type: object, fault: BaseException | None, _trace: object) -> bool:
        """Report the fault; exits and interrupts pass."""
        if not isinstance(fault, Exception):
            return False
        warn_once(fault, consequence=self._consequence)
        return True


def warn_once(fault: Exception, *, consequence: str = NO_TOKEN) -> None:
    """Log the error and its consequence, once per process.

    A bug is named by its type and place only, because its message may contain a secret.
    """
    if isinstance(fault, ModuleNotFoundError):
        from conda_token_plugin.errors.outcome import MissingLibrary

        fault = MissingLibrary.of(fault) or fault
    expected = isinstance(fault, TokenPluginError)
    if isinstance(fault, TokenPluginError) and not fault.is_fault:
        return  # such as a provider that says that no credential is needed
    text = str(fault) if expected else f"It has a bug; please report it: {_place_of(fault)}."
    log_once(f"{consequence}. {text}")


def log_once(text: str) -> None:
    """Log ``text`` as a warning, once per process."""
    with _LOGGING:  # `cache` alone does not keep two threads from logging at the same time
        _logged(text)


@cache
def _logged(text: str) -> None:
    log.warning("conda-token-plugin: %s", text)


def _place_of(bug: Exception) -> str:
    where = extract_tb(bug.__traceback__)[-1]
    return f"{type(bug).__name__} in {where.name} ({where.filename}:{where.lineno})"

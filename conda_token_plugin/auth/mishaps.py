"""Saying once what is wrong with the plugin itself, while the command goes on."""

from __future__ import annotations

import logging
from functools import cache
from traceback import extract_tb

from conda_token_plugin.errors import TokenPluginError

log = logging.getLogger(__name__)


def warn_once(fault: Exception, *, so: str = "requests go on without a token") -> None:
    """Warn of ``fault`` and of what follows; the same one is not said again in this process.

    It is one of our errors (a corrupt store, a locked keyring, a bad variable), or a bug.
    """
    expected = isinstance(fault, TokenPluginError)
    _say(str(fault) if expected else f"It has a bug; please report it: {_place_of(fault)}.", so)


@cache
def _say(fault: str, so: str) -> None:
    log.warning("conda-token-plugin: %s. %s", so, fault)


def _place_of(bug: Exception) -> str:
    """The bug's type and where it is; not its words, which may hold anything."""
    where = extract_tb(bug.__traceback__)[-1]
    return f"{type(bug).__name__} in {where.name} ({where.filename}:{where.lineno})"

"""Saying once what is wrong with the plugin itself, while the command goes on."""

from __future__ import annotations

import logging
from functools import cache
from traceback import extract_tb

log = logging.getLogger(__name__)


@cache
def said_once(fault: str) -> None:
    """Warn of ``fault``; the same one is not said again in this process."""
    log.warning("conda-token-plugin: requests go on without a token. %s", fault)


def place_of(bug: Exception) -> str:
    """The bug's type and where it is; not its words, which may hold anything."""
    where = extract_tb(bug.__traceback__)[-1]
    return f"{type(bug).__name__} in {where.name} ({where.filename}:{where.lineno})"

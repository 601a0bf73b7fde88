"""For the time of a block, conda's configuration without our entries: as another plugin expects it.

A handler may look for its own settings in ``channel_settings`` and take the last entry that fits
(anaconda-auth does, for ``auth_domain``). Where it is asked in our stead, the last one is ours.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from threading import local
from typing import TYPE_CHECKING, Any

from conda.base.context import Context
from conda.common.configuration import ParameterLoader

from conda_token_plugin import HANDLER

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Here(local):
    """Of each thread, because other threads go on choosing handlers by our entries."""

    alone = False


_HERE = _Here()


@contextmanager
def alone() -> Iterator[None]:
    """Hide our entries from this thread."""
    _prepare()
    before, _HERE.alone = _HERE.alone, True
    try:
        yield
    finally:  # a handler's own request may have asked yet another one
        _HERE.alone = before


class _WithoutOurs(ParameterLoader):  # type: ignore[misc]  # conda's types are skipped
    """Loads ``channel_settings``; within ``alone``, without our entries."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        value = super().__get__(instance, owner)
        if instance is None or not _HERE.alone:
            return value
        return tuple(entry for entry in value if entry.get("auth", "").strip() != HANDLER)


@cache
def _prepare() -> None:
    """Once, and only where another plugin's handler is asked: teach conda's loader."""
    Context.__dict__["channel_settings"].__class__ = _WithoutOurs

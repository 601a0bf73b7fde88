"""How help is laid out: the overview of all commands, and the page of one. Pure but for the width.

The overview stands on one screen of 80 by 24: what a command is for on the left,
its name, one line about it. On a narrower screen each group has a heading of its own instead.
"""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from shutil import get_terminal_size
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conda_token_plugin.cli.registry import Verb

WIDEST = 100
"""Columns; longer lines are hard to read, however wide the screen is."""
NARROW = 72
NAMES = 12


class Page(RawDescriptionHelpFormatter):
    """Fills the prose to the width of the screen, and leaves indented lines as they are."""

    def __init__(self, prog: str, *, width: int | None = None) -> None:
        """``width`` in columns; None: that of the screen."""
        super().__init__(prog, width=width or columns() - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(_filled(text.strip().split("\n"), width=width, indent=indent))


def columns() -> int:
    """The width to write for: that of the screen (``COLUMNS`` overrides it), up to a limit."""
    return min(get_terminal_size().columns, WIDEST)


def overview(verbs: Sequence[Verb], *, prog: str, width: int) -> str:
    """The commands by group, for a screen of ``width`` columns."""
    groups = dict.fromkeys(verb.group for verb in verbs)
    label = max(map(len, groups)) + 2 if width >= NARROW else 2
    lines: list[str] = []
    for group in groups:
        lead = group if width >= NARROW else ""
        lines += [] if lead else [f"{group}:"]
        for verb in (one for one in verbs if one.group == group):
            head = f"{lead:<{label}}{verb.name:<{NAMES}}"
            indent = " " * len(head)
            lines.append(_fill(f"{head}{verb.summary}", width, after=indent))
            lead = ""
    return "\n".join([*lines, _fill(f"`{prog} COMMAND --help` has examples.", width)])


def _filled(lines: Iterable[str], *, width: int, indent: str) -> Iterator[str]:
    waiting: list[str] = []
    for line in [*lines, ""]:
        heading = line.endswith(":") and not waiting
        if line and not line.startswith(" ") and not heading:
            waiting.append(line)
            continue
        if waiting:
            yield _fill(f"{indent}{' '.join(waiting)}", width, after=indent)
            waiting = []
        yield line


def _fill(text: str, width: int, *, after: str = "") -> str:
    """Lines of at most ``width``, ``after`` before each but the first; commands stay whole."""
    from textwrap import TextWrapper

    wrapper = TextWrapper(
        width=width, subsequent_indent=after, break_on_hyphens=False, break_long_words=False
    )
    return wrapper.fill(text)

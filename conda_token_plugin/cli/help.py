"""The layout of help: the overview of all commands, and the page of one command.

The overview fits on one screen of 80 by 24. It has three columns: the group of a command, its
name, and a one-line summary; the last group is one line of names. On a narrower screen each group
has a heading on a line of its own.
"""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from conda_token_plugin.cli.registry import OTHER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conda_token_plugin.cli.registry import Verb

WIDEST = 100
"""Maximum number of columns, because longer lines are hard to read."""
NARROW = 72
"""Columns below which a group has a heading on a line of its own."""
NAMES = 12
"""Width of the column of names."""


class Page(RawDescriptionHelpFormatter):
    """Wraps prose to the width of the screen, and keeps indented lines."""

    def __init__(self, prog: str, *, width: int | None = None) -> None:
        """Take the width in columns; None for that of the screen."""
        super().__init__(prog, width=width or columns() - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(_filled(text.strip().split("\n"), width=width, indent=indent))


def columns() -> int:
    """Return the width of the screen (`COLUMNS` overrides it), at most `WIDEST`."""
    return min(get_terminal_size().columns, WIDEST)


def overview(verbs: Sequence[Verb], *, prog: str, width: int) -> str:
    """Return the commands by group, for a screen of `width` columns."""
    groups = dict.fromkeys(verb.group for verb in verbs)
    label = max(map(len, groups)) + 2 if width >= NARROW else 2
    lines: list[str] = []
    for group in groups:
        lead = group if width >= NARROW else ""
        lines += [] if lead else [f"{group}:"]
        members = [verb for verb in verbs if verb.group == group]
        if group == OTHER:
            lines.append(f"{lead:<{label}}{', '.join(verb.name for verb in members)}")
            continue
        for verb in members:
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
    """Return `text` in lines of at most `width`, with `after` before each but the first."""
    from textwrap import TextWrapper

    wrapper = TextWrapper(
        width=width, subsequent_indent=after, break_on_hyphens=False, break_long_words=False
    )
    return wrapper.fill(text)

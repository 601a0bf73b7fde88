"""Text for a terminal: visible escapes for control characters, and line breaks between words."""

from __future__ import annotations

import re
from shutil import get_terminal_size
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

JOINERS = "\u200c\u200d"
"""Zero-width joiners, which Persian, Hindi and emoji need. They cannot reorder a line."""
COMMAND = re.compile(r"\b(?:[Rr]un|[Rr]un on the machine that has it|Try|Add to your condarc): ")
"""What is in front of a command, or of a line for a file, at the end of a message."""
LABEL = re.compile(r" *(?:\w+: +|\S+(?: \S+)*?  +)?")
"""What is in front of the text of a line, such as "hint:  "."""
MAX_LABEL = 16
"""Maximum number of columns by which the lines after the first are indented."""


def printable(text: str, stream: TextIO | None) -> str:
    """Return `text` with escapes for characters that the encoding of `stream` lacks."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def clean(text: str, *, keep: str = "\n\t") -> str:
    """Return `text` with visible escapes for characters that could control a terminal.

    That is control characters (C0, C1), bidirectional and other format characters, line and
    paragraph separators, and surrogates, which stand for bytes that are not UTF-8.

    The control characters in ``keep`` are left as they are.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in keep or _is_harmless(one) else _escaped(one)
        for one in text
    )


def _is_harmless(character: str) -> bool:
    """Return whether a character that is not printable to Python may be printed."""
    from unicodedata import category

    return category(character) == "Zs" or character in JOINERS


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def wrapped(line: str, *, width: int | None = None) -> str:
    """Return ``line`` with line breaks between words, so that no part exceeds the screen.

    A command at the end is never broken, so that it can be copied: if it does not fit, it gets a
    line of its own. The lines after the first are indented to the text behind the label.
    """
    from textwrap import wrap  # only for a line that is too long

    width = width or get_terminal_size().columns
    label = LABEL.match(line)
    start = len(label[0]) if label and len(label[0]) <= MAX_LABEL else 0
    found = COMMAND.search(line)
    end = found.start() if found else len(line)
    if len(line) <= width or end <= start:
        return line
    indent = " " * start
    lines = wrap(
        line[:end].rstrip(),
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    command = line[end:]
    if len(f"{lines[-1]} {command}") <= width:
        lines[-1] = f"{lines[-1]} {command}".rstrip()
    elif command:
        lines.append(indent + command)
    return "\n".join(lines)

"""What a terminal of 80 columns and 24 lines shows at the end, compared with a stored screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.terminal import Terminal

SCREENS = Path(__file__).parents[1] / "cli" / "screens"
COLUMNS, LINES = 80, 24
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x07")
BACKSPACE = re.compile(r"[^\x08\n]\x08")
VARYING = (
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT."),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ID" + "0" * 34),
    (r"…[A-Za-z0-9]{4}\b", "…1234"),
    (r"\b20\d\d-\d\d-\d\d\b", "DATE-00-00"),
    (r"\b\d+ days", "000 days"),
    (r"\(\d+d\)", "(000d)"),
    (r"\b[A-Z]{4}-[A-Z]{4}\b", "CODE-CODE"),
    (r"Elapsed: [-0-9:.]+", "Elapsed: 00:00.000000"),
)
"""What differs from run to run, and what replaces it. The replacement is as long, usually."""


def screen(terminal: Terminal, *, code: int) -> str:
    """Return what `terminal` shows at the end, with replacements for what varies."""
    assert terminal.finish() == code, terminal.seen
    text = ESCAPE.sub("", terminal.seen).replace("\r\n", "\n")
    while (erased := BACKSPACE.sub("", text)) != text:  # conda's spinner
        text = erased
    lines = [line.rpartition("\r")[2].rstrip() for line in text.splitlines()]
    # On a slow machine the spinner is shown before the output.
    lines = [line for line in lines if not re.match("[\u2800-\u28ff]", line)]
    text = "\n".join(lines).strip("\n") + "\n"
    for pattern, replacement in VARYING:
        text = re.sub(pattern, replacement, text)
    return text


def compare(name: str, shown: str) -> None:
    """Compare with the stored screen; write it, and fail, if there is none."""
    path = SCREENS / f"{name}.txt"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown, "utf-8")
        pytest.fail(f"{path} was missing. It is written now: read it, and run the test again.")
    assert shown == path.read_text("utf-8")
    height = sum(max(1, -(-len(line) // COLUMNS)) for line in shown.splitlines())
    assert height <= LINES

"""Draw the terminal session of the README: a real run of the demo.

    python docs/picture.py

writes ``docs/demo-light.svg`` and ``docs/demo-dark.svg``. Run it where conda can be imported.
"""

from __future__ import annotations

import os
import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from conda_token_plugin.cli.commands.demo import coloured, prompted
from conda_token_plugin.cli.demo_stage import demo_commands, demo_home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.cli.demo_stage import DemoHome

HERE = Path(__file__).parent
COLUMNS, LINES = 104, 40
TITLE = "conda token"


class Frame(NamedTuple):
    """The colours of one picture."""

    text: TerminalTheme
    border: str


THEMES = {
    "light": Frame(
        TerminalTheme(
            (255, 255, 255),
            (31, 35, 40),
            [
                *((31, 35, 40), (207, 34, 46), (26, 127, 55), (154, 103, 0)),
                *((9, 105, 218), (130, 80, 223), (27, 124, 131), (110, 119, 129)),
            ],
        ),
        "#d0d7de",
    ),
    "dark": Frame(
        TerminalTheme(
            (13, 17, 23),
            (230, 237, 243),
            [
                *((72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34)),
                *((88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)),
            ],
        ),
        "#30363d",
    ),
}


def main() -> None:
    """Run the demo once, and draw it in each theme."""
    os.environ |= {"COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color"}
    with demo_home() as here:
        session = "\n\n".join(played(here))
    for name, frame in THEMES.items():
        drawn = Console(record=True, width=COLUMNS, file=StringIO())
        drawn.print(Text.from_ansi(session))
        template = without_fonts(CONSOLE_SVG_FORMAT)
        svg = drawn.export_svg(title=TITLE, theme=frame.text, code_format=template)
        svg = svg.replace("rgba(255,255,255,0.35)", frame.border)
        (HERE / f"demo-{name}.svg").write_text(svg, encoding="utf-8")


def played(here: DemoHome) -> Iterator[str]:
    """Yield each command, as a user would type it, with its output on a terminal.

    Raises:
        SystemExit: A command did not end as it has to.
    """
    for step in demo_commands(here):
        code, output = here.run(step, on_terminal=True)
        if not step.succeeded(code, output):
            raise SystemExit(f"{step.shown} ended with {code}:\n{output}")
        yield f"{prompted(step, here, colours=True)}\n{coloured(step, output, colours=True)}"


def without_fonts(template: str) -> str:
    """Return the template of rich without the fonts that a browser would download."""
    return re.sub(r"@font-face \{\{.*?\}\}\n", "", template, flags=re.DOTALL)


if __name__ == "__main__":
    main()

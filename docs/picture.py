"""Draw the terminal session of the README: the real demo, its commands run on a terminal.

    python docs/picture.py

writes ``docs/demo-light.svg`` and ``docs/demo-dark.svg``.
"""

from __future__ import annotations

import os
import pty
import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME
from rich.text import Text

from conda_token_plugin.cli.demo_stage import acts, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.cli.demo_stage import Stage

HERE = Path(__file__).parent
COLUMNS, LINES = 104, 40
THEMES = {"light": DEFAULT_TERMINAL_THEME, "dark": SVG_EXPORT_THEME}
TITLE = "conda-token-plugin demo"
PLAN, LEFT_OUT = "The following NEW packages will be INSTALLED:", "[…]"
"""conda says a lot before this line."""


def main() -> None:
    """Play the session once, and draw it in each theme."""
    with stage() as here:
        session = "\n".join(played(here))
    for name, theme in THEMES.items():
        drawn = Console(record=True, width=COLUMNS, file=StringIO())
        drawn.print(Text.from_ansi(session))
        svg = drawn.export_svg(title=TITLE, theme=theme, code_format=template())
        (HERE / f"demo-{name}.svg").write_text(svg, encoding="utf-8")


def played(here: Stage) -> Iterator[str]:
    """Each command, as it would be typed, and what it says on a terminal."""
    for act in acts(here):
        yield f"\x1b[1m$ {act.shown}\x1b[0m"
        yield abridged(on_terminal(act.command, here=here)).strip("\n") + "\n"


def on_terminal(command: list[str], *, here: Stage) -> str:
    """Run ``command`` on a terminal of its own; what it wrote there."""
    sizes = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(here.home)
        os.execve(command[0], command, {**here.variables, **sizes})  # noqa: S606  # the demo's own
    written = b"".join(iter(lambda: _read(terminal), b""))
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed:\n{written.decode()}")
    return written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO when the child has closed its end
        return b""


def abridged(output: str) -> str:
    """``output`` from the plan on, where it is conda's."""
    _, plan, rest = output.partition(PLAN)
    return f"{LEFT_OUT}\n{plan}{rest}" if plan else output


def template() -> str:
    """What rich uses, without the fonts that it would have a browser fetch."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    return re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


if __name__ == "__main__":
    main()

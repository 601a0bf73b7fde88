"""The only place that prints: data to stdout, talk to stderr; one JSON document with ``--json``."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from conda_token_plugin.errors.outcome import Interrupted, OutputLost
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from conda_token_plugin.errors import TokenPluginError

PATIENCE = 0.5
"""Seconds for which nobody wonders what a command is doing."""


class Printer:
    """Writes for one command."""

    def __init__(
        self,
        *,
        prog: str = "conda token",
        json: bool = False,
        quiet: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        """``json`` and ``quiet`` are the command's flags; it writes to this process's streams."""
        self.prog = prog
        self.json = json
        self.quiet = quiet
        self.out = out or sys.stdout or _nowhere()
        self.err = err or sys.stderr or _nowhere()

    @classmethod
    def of(cls, argv: Sequence[str], *, prog: str) -> Printer:
        """Read the flags from ``argv`` itself: a usage error has to be printed right, too."""
        flags = argv[: argv.index("--")] if "--" in argv else argv
        quiet = "-q" in flags or "--quiet" in flags
        return cls(prog=prog, json="--json" in flags, quiet=quiet)

    def data(self, value: Any, *, text: str = "") -> None:
        """The answer of a command: ``value`` with ``--json``, else ``text``."""
        if self.json:
            import json

            text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
            if text != printable(text, self.out):  # as an escape it would be no JSON any more
                text = json.dumps(value, indent=2, sort_keys=True)
        if text:
            self._write(self.out, text.rstrip("\n") + "\n")

    def said(self, text: str) -> None:
        """Output as it comes, of a command that shows others at work; nothing with ``--json``."""
        if not self.json:
            self._write(self.out, text)

    def table(self, rows: Sequence[Mapping[str, str]], *, value: Any) -> None:
        """The answer as a table whose columns are the keys of the first row.

        On a terminal it is drawn; elsewhere it is a line a row with tabs between.
        """
        if self.json:
            self.data(value)
        elif rows and self.out.isatty():
            self._drawn(rows)
        elif rows:
            lines = [list(rows[0]), *(list(row.values()) for row in rows)]
            self.data(None, text="\n".join("\t".join(line) for line in lines))

    def say(self, line: str) -> None:
        """What is being done or was done; nothing with ``--quiet``."""
        if not self.quiet:
            self._write(self.err, f"{self._commands(line)}\n")

    def warn(self, line: str) -> None:
        """What the user should know even with ``--quiet``."""
        self._write(self.err, f"warning: {self._commands(line)}\n")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show ``what`` is being waited for, as long as the block lasts.

        Only to a person: on a terminal, and when it has lasted for half a second.
        A dumb terminal, or one that a screen reader reads (``TERM=dumb``), gets a line that stays.
        Nothing may be printed or asked in the block.
        """
        if self.json or self.quiet or not self.err.isatty():
            yield
            return
        from conda_token_plugin.cli.spinner import Spinner

        spinner = Spinner(what, stream=self.err, plain=Settings().plain_output)
        spinner.start_after(PATIENCE)
        try:
            yield
        finally:
            spinner.stop()

    def ask(self, text: str) -> None:
        """A question, without a line break of its own."""
        self._write(self.err, text)

    def failed(self, error: TokenPluginError) -> None:
        """The one line of an error; with ``--json`` a document on stdout instead."""
        if self.json:
            facts = {
                "kind": type(error).__name__,
                "what": self._commands(error.what),
                "hint": self._commands(error.hint),
                "exit_code": error.exit_code,
            }
            self.data({"error": facts})
        elif str(error):
            # At a terminal the cursor stands behind a question, or behind the "^C" of the key.
            start = "\n" if isinstance(error, Interrupted) and self.err.isatty() else ""
            with suppress(OutputLost):  # there is nowhere left to say it; the exit code says it
                self._write(self.err, f"{start}error: {self._commands(str(error))}\n")

    def abandon(self) -> None:
        """Stop writing to a reader that went away, also at interpreter shutdown."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())

    def _drawn(self, rows: Sequence[Mapping[str, str]]) -> None:
        """As a table where it fits without breaking a cell, else as a block a row."""
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console(file=self.out, no_color=Settings().plain_output, highlight=False)
        table = Table(*rows[0], box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for row in rows:
            table.add_row(*(Text(cell, no_wrap=True) for cell in row.values()))
        boundless = console.options.update(max_width=10_000)
        fits = console.measure(table, options=boundless).maximum <= console.width
        with console.capture() as drawn:
            for one in (table,) if fits else _blocks(rows):
                console.print(one, soft_wrap=not fits)
        self._write(self.out, drawn.get())

    def _commands(self, line: str) -> str:
        """Commands in messages are written ``conda token …``; show them as they were typed."""
        return line.replace("conda token ", f"{self.prog} ")

    def _write(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(printable(text, stream))
            stream.flush()
        except BrokenPipeError:  # the reader went away; the door knows what to do
            raise
        except OSError as error:  # a full disk behind a redirection
            self.abandon()
            raise OutputLost(error.strerror or "unknown") from None


def _blocks(rows: Sequence[Mapping[str, str]]) -> Iterator[Text]:
    from rich.text import Text

    for row in rows:
        (_, title), *facts = row.items()
        yield Text(title, style="bold")
        yield from (Text(f"  {name}: {cell}") for name, cell in facts)


def printable(text: str, stream: TextIO | None) -> str:
    """``text`` with escapes for what ``stream`` has no letters for, as on an old terminal."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _nowhere() -> TextIO:
    """For a process that was started with its output closed (``>&-``)."""
    return Path(os.devnull).open("w", encoding="utf-8")

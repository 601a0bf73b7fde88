"""The only module that prints: data to stdout, messages to stderr; with `--json` one document.

Text from outside (names, titles, error bodies, file names) passes `clean` here, so that it cannot
move the cursor, change colours, reorder a line or fake one. On a terminal, messages are broken
between words.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from conda_token_plugin.cli.text import clean, printable, wrapped
from conda_token_plugin.errors.outcome import Interrupted, NotConfirmed, OutputLost
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.text import Text

    from conda_token_plugin.errors import TokenPluginError

SPINNER_DELAY = 0.5
"""Seconds after which a wait is shown."""


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
        """Write to this process's streams unless others are given.

        Args:
            prog: The name of the program in messages.
            json: Whether the command has `--json`.
            quiet: Whether the command has `--quiet`.
            out: The stream for data.
            err: The stream for messages.
        """
        self.prog = prog
        self.json = json
        self.quiet = quiet
        self.site = ""
        """The value of ``--at``, which the commands in messages also need."""
        self.out = out or sys.stdout or _null_device()
        self.err = err or sys.stderr or _null_device()

    @classmethod
    def of(cls, argv: Sequence[str], *, prog: str) -> Printer:
        """Return a printer with the flags of `argv`, which apply to a usage error too."""
        flags = argv[: argv.index("--")] if "--" in argv else argv
        quiet = "-q" in flags or "--quiet" in flags
        return cls(prog=prog, json="--json" in flags, quiet=quiet)

    def data(self, value: Any, *, text: str = "", wrap: bool = False) -> None:
        """Print the result of a command: `value` with `--json`, otherwise `text`.

        ``wrap``: whether the lines are broken between words on a terminal.
        """
        if wrap and self.out.isatty():
            text = "\n".join(wrapped(line) for line in text.split("\n"))
        if self.json:
            import json

            text = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
            if text != printable(clean(text), self.out):  # \\x1b is not an escape of JSON
                text = json.dumps(value, indent=2, sort_keys=True).replace("\x7f", "\\u007f")
        if text:
            self._write(self.out, clean(text).rstrip("\n") + "\n")

    def verbatim(self, text: str) -> None:
        """Print what another program reads: in UTF-8 and unchanged, also with `--json`."""
        if isinstance(self.out, TextIOWrapper):
            self.out.reconfigure(encoding="utf-8")
        self._write(self.out, f"{text}\n")

    def echo(self, text: str, *, colours: bool = False) -> None:
        """Print the output of another command; nothing with `--json`.

        ``colours``: whether its colours are kept, because it was written for a terminal.
        """
        if not self.json:
            parts = re.split(r"(\x1b\[[0-9;]*m)", text) if colours else [text]
            self._write(self.out, "".join(p if i % 2 else clean(p) for i, p in enumerate(parts)))

    def table(self, rows: Sequence[Mapping[str, str]], *, value: Any) -> None:
        """Print the result as a table whose columns are the keys of the first row.

        On a terminal the columns are aligned; elsewhere there is one line per row, with tabs.
        """
        if self.json:
            self.data(value)
            return
        rows = [{name: clean(cell, keep="") for name, cell in row.items()} for row in rows]
        if rows and self.out.isatty():
            self._print_table(rows)
        elif rows:
            lines = [list(rows[0]), *(list(row.values()) for row in rows)]
            self.data(None, text="\n".join("\t".join(line) for line in lines))

    def say(self, line: str) -> None:
        """Print a message; nothing with `--quiet`."""
        if not self.quiet:
            self._message(line)

    def warn(self, line: str) -> None:
        """Print a warning, also with `--quiet`."""
        self._message(f"warning: {line}")

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show `what` on a terminal while the block runs longer than `SPINNER_DELAY`.

        A dumb terminal, which a screen reader may read (`TERM=dumb`), gets a line that stays.
        Print and ask nothing in the block.
        """
        if self.json or self.quiet or not self.err.isatty():
            yield
            return
        from conda_token_plugin.cli.spinner import Spinner  # most commands do not wait

        spinner = Spinner(clean(what), stream=self.err)
        spinner.start_after(SPINNER_DELAY)
        try:
            yield
        finally:
            spinner.stop()

    def ask(self, text: str) -> None:
        """Print a question without a line break, also with `--quiet`."""
        self._write(self.err, clean(text))

    def failed(self, error: TokenPluginError) -> None:
        """Print an error and its hint, a line each; with `--json` a document on stdout.

        The answer "no" to a question is not an error of the user, so it is printed as a message.
        """
        what, hint = error.what, error.hint
        if self.json:
            texts = {"what": self._commands(what), "hint": self._commands(hint)}
            facts = {"kind": type(error).__name__, "exit_code": error.exit_code}
            self.data({"error": {**facts, **texts}})
        elif what or hint:
            # At a terminal the cursor is behind a question, or behind the "^C" of the key.
            start = "\n" if isinstance(error, Interrupted) and self.err.isatty() else ""
            label = "" if isinstance(error, NotConfirmed) else "error: "
            lines = [f"{label}{what}"] if what else []
            lines += [f"hint:  {hint}"] if hint else []
            # If stderr is lost as well, the exit code remains.
            with suppress(OutputLost):
                self._write(self.err, start)
                for line in lines:
                    self._message(line)

    def discard(self, stream: TextIO | None = None) -> None:
        """Discard what is written to ``stream`` (default: the output) from now on.

        The interpreter would otherwise report at its exit that the buffer cannot be written.
        """
        os.dup2(os.open(os.devnull, os.O_WRONLY), (stream or self.out).fileno())

    def _print_table(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Print aligned columns if they fit without breaking a cell, otherwise a block per row."""
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

    def _message(self, line: str) -> None:
        line = clean(self._commands(line), keep="")
        self._write(self.err, f"{wrapped(line) if self.err.isatty() else line}\n")

    def _commands(self, line: str) -> str:
        """Return `line` with the program that the user called, and `--at`, in its commands."""
        at = ""
        if self.site:
            from shlex import quote

            at = f"--at {quote(self.site)} "
        return re.sub("conda token (sites)?", lambda m: f"{self.prog} {m[1] or at}", line)

    def _write(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(printable(text, stream))
            stream.flush()
        except BrokenPipeError:  # the reader has closed the pipe; `main` handles it
            raise
        except OSError as error:  # a full disk behind a redirection
            self.discard(stream)
            if stream is self.err:  # there is no place for a message
                return
            raise OutputLost(error.strerror or "unknown") from None


def _blocks(rows: Sequence[Mapping[str, str]]) -> Iterator[Text]:
    from rich.text import Text

    for row in rows:
        (_, title), *facts = row.items()
        yield Text(title, style="bold")
        yield from (Text(f"  {name}: {cell}") for name, cell in facts)


def _null_device() -> TextIO:
    """Return the null device, for a process that was started with its output closed (`>&-`)."""
    return Path(os.devnull).open("w", encoding="utf-8")

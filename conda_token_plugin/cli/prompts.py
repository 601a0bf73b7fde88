"""Questions to the user. Without a terminal, each raises an error that names the option to use.

They do not use rich.prompt: its `Confirm` repeats the question after any answer but y and n,
where "no" is meant, and it loops at the end of input.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from conda_token_plugin.errors.outcome import Interrupted, NotConfirmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conda_token_plugin.cli.output import Printer
    from conda_token_plugin.errors.input import NeedsAnswer


class Prompts(Protocol):
    """The questions that commands ask."""

    @property
    def interactive(self) -> bool:
        """Whether a person can answer."""

    def confirm(self, question: str) -> None:
        """Return if the user answers yes.

        Raises:
            NotConfirmed: The answer is not yes.
            NeedsAnswer: There is no terminal.
            Interrupted: Ctrl-C, or the end of input.
        """

    def offer(self, question: str) -> bool:
        """Return whether the user wants something optional; False without a terminal."""

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Return the index of the option that the user chooses.

        Raises:
            NeedsAnswer: There is no terminal.
            Interrupted: Ctrl-C, or the end of input.
        """

    def hidden(self, question: str, *, flag: str) -> str:
        """Return a line that is not shown while it is typed.

        Raises:
            NeedsAnswer: There is no terminal.
            Interrupted: Ctrl-C, or the end of input.
        """


class Terminal:
    """Asks at a terminal. Questions go to stderr, so that stdout has only data."""

    interactive = True

    def __init__(self, printer: Printer) -> None:
        """Ask through ``printer``."""
        self._printer = printer

    def confirm(self, question: str) -> None:
        """Take anything but y and yes as no."""
        if self._line(f"{question} [y/N] ").lower() not in {"y", "yes"}:
            raise NotConfirmed

    def offer(self, question: str) -> bool:
        """Take anything but y and yes as no."""
        return self._line(f"{question} [y/N] ").lower() in {"y", "yes"}

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Accept a number or a name; repeat the question after any other answer."""
        for number, option in enumerate(options, 1):
            self._printer.ask(f"  {number}. {option}\n")
        while True:
            answer = self._line(f"{question} [1-{len(options)}] ")
            if answer.isdecimal() and 1 <= int(answer) <= len(options):
                return int(answer) - 1
            named = [i for i, option in enumerate(options) if option.split()[0] == answer]
            if named:
                return named[0]
            self._printer.ask(f"Type a number from 1 to {len(options)} (or use {flag}).\n")

    def hidden(self, question: str, *, flag: str) -> str:  # noqa: ARG002  # as NoTerminal
        """Read without echo, from the terminal itself."""
        from getpass import getpass

        try:
            return getpass(f"{question} ", stream=sys.stderr)
        except (KeyboardInterrupt, EOFError):  # Ctrl-C, Ctrl-D
            raise Interrupted from None

    def _line(self, question: str) -> str:
        try:
            self._printer.ask(question)
            line = sys.stdin.readline()
        except KeyboardInterrupt:  # Ctrl-C at the question
            line = ""
        except UnicodeDecodeError:  # not text in the terminal's encoding
            line = "\n"
        if not line:
            raise Interrupted
        return line.strip()


class NoTerminal:
    """Cannot ask: in a script, in CI, in a pipe."""

    interactive = False

    def confirm(self, question: str) -> None:
        """Raise NeedsAnswer."""
        raise _unasked(question, flag="--yes")

    def offer(self, question: str) -> bool:  # noqa: ARG002  # as Terminal
        """Return False."""
        return False

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Raise NeedsAnswer with the options."""
        raise _unasked(f"{question} ({', '.join(options)})", flag=flag)

    def hidden(self, question: str, *, flag: str) -> str:
        """Raise NeedsAnswer."""
        raise _unasked(question, flag=flag)


class AssumeYes:
    """Implements `--yes`: confirms, and passes other questions on."""

    def __init__(self, other: Prompts) -> None:
        """Take the prompts for questions that "yes" does not answer."""
        self._other = other

    @property
    def interactive(self) -> bool:
        """Return whether the other prompts can ask."""
        return self._other.interactive

    def confirm(self, question: str) -> None:
        """Return at once."""

    def offer(self, question: str) -> bool:  # noqa: ARG002  # as Terminal
        """Return False: `--yes` confirms the command, not more than it."""
        return False

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Ask."""
        return self._other.choose(question, options=options, flag=flag)

    def hidden(self, question: str, *, flag: str) -> str:
        """Ask."""
        return self._other.hidden(question, flag=flag)


def prompts(printer: Printer, *, assume_yes: bool) -> Prompts:
    """Return the prompts for this process; stdin and stderr must be terminals to ask."""
    asks = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    plain: Prompts = Terminal(printer) if asks else NoTerminal()
    return AssumeYes(plain) if assume_yes else plain


def _unasked(question: str, *, flag: str) -> NeedsAnswer:
    from conda_token_plugin.errors.input import NeedsAnswer

    return NeedsAnswer(question, flag=flag)

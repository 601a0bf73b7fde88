"""Questions. Without a terminal each of them is an error that names the flag to use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from conda_token_plugin.errors.outcome import Interrupted, NotConfirmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conda_token_plugin.cli.output import Printer
    from conda_token_plugin.errors.input import NeedsAnswer


class Prompts(Protocol):
    """The questions that verbs ask."""

    @property
    def interactive(self) -> bool:
        """Whether a person can answer."""

    def confirm(self, question: str) -> None:
        """Return if the answer is yes.

        Raises:
            NotConfirmed: it is no. NeedsAnswer: nobody can be asked. Interrupted: Ctrl-C.
        """

    def offer(self, question: str) -> bool:
        """Whether something optional is wanted; no where nobody can be asked."""

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """The index of the option that is chosen.

        Raises:
            NeedsAnswer: nobody can be asked. Interrupted: Ctrl-C.
        """

    def hidden(self, question: str, *, flag: str) -> str:
        """A line that is not shown while it is typed.

        Raises:
            NeedsAnswer: nobody can be asked. Interrupted: Ctrl-C.
        """


class Terminal:
    """A person sits there. Questions go to stderr, so that stdout stays data."""

    interactive = True

    def __init__(self, printer: Printer) -> None:
        """Ask through ``printer``."""
        self._printer = printer

    def confirm(self, question: str) -> None:
        """Anything but y or yes is a no."""
        if self._line(f"{question} [y/N] ").lower() not in {"y", "yes"}:
            raise NotConfirmed

    def offer(self, question: str) -> bool:
        """Anything but y or yes is a no."""
        return self._line(f"{question} [y/N] ").lower() in {"y", "yes"}

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """By number or by name; asks again until one fits."""
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
        """Read without echo."""
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
        except UnicodeDecodeError:  # keys that are no text in the terminal's encoding
            line = "\n"
        if not line:
            raise Interrupted
        return line.strip()


class NoTerminal:
    """Nobody can answer: a script, CI, a pipe."""

    interactive = False

    def confirm(self, question: str) -> None:
        """Always refuses."""
        raise _unasked(question, flag="--yes")

    def offer(self, question: str) -> bool:  # noqa: ARG002  # as Terminal
        """Nothing optional is wanted."""
        return False

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Always refuses, naming the options."""
        raise _unasked(f"{question} ({', '.join(options)})", flag=flag)

    def hidden(self, question: str, *, flag: str) -> str:
        """Always refuses."""
        raise _unasked(question, flag=flag)


class AssumeYes:
    """``--yes``: what is a yes-or-no question is answered; what is not goes on to ``other``."""

    def __init__(self, other: Prompts) -> None:
        """``other`` is asked what a yes does not answer."""
        self._other = other

    @property
    def interactive(self) -> bool:
        """As the other."""
        return self._other.interactive

    def confirm(self, question: str) -> None:
        """Yes."""

    def offer(self, question: str) -> bool:  # noqa: ARG002  # as Terminal
        """No: --yes agrees to what was asked for, not to more."""
        return False

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """A yes chooses nothing."""
        return self._other.choose(question, options=options, flag=flag)

    def hidden(self, question: str, *, flag: str) -> str:
        """A yes is no secret."""
        return self._other.hidden(question, flag=flag)


def prompts(printer: Printer, *, assume_yes: bool) -> Prompts:
    """The variant that fits this process: is there a person at both ends?"""
    asks = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    plain: Prompts = Terminal(printer) if asks else NoTerminal()
    return AssumeYes(plain) if assume_yes else plain


def _unasked(question: str, *, flag: str) -> NeedsAnswer:
    from conda_token_plugin.errors.input import NeedsAnswer

    return NeedsAnswer(question, flag=flag)

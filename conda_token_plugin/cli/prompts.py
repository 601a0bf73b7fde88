"""Questions. Without a terminal, each of them is an error that names the option to use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from conda_token_plugin.cli.text import clean
from conda_token_plugin.errors.outcome import Interrupted, NotConfirmed
from conda_token_plugin.settings import Settings

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
            NotConfirmed: The user answered no.
            NeedsAnswer: There is no terminal.
            Interrupted: Ctrl-C, or the end of input.
        """

    def offer(self, question: str) -> bool:
        """Return whether the user wants something optional; False without a terminal.

        Raises:
            Interrupted: Ctrl-C, or the end of input.
        """

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Return the index of the chosen option.

        Args:
            question: The question, without the range of numbers.
            options: A line each. The first word is the name, which may be typed too.
            flag: The option of the command line that answers the question.

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
    """Asks on a terminal. Questions go to stderr, so that stdout contains only data."""

    interactive = True

    def __init__(self, printer: Printer) -> None:
        """Print with `printer`."""
        self._printer = printer

    def confirm(self, question: str) -> None:
        """Raise `NotConfirmed` for any answer but y and yes."""
        if not self.offer(question):
            raise NotConfirmed

    def offer(self, question: str) -> bool:
        """Return False for any answer but y and yes."""
        return self._answer(f"{question} [y/N]").lower() in {"y", "yes"}

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Accept a number or a name; ask again after any other answer."""
        for number, option in enumerate(options, 1):
            self._printer.ask(f"  {number}. {option}\n")
        count = len(options)
        known = [*map(str, range(1, count + 1)), *(option.split()[0] for option in options)]
        wrong = f"Type a number from 1 to {count} (or use {flag})."
        answer = self._answer(f"{question} [1-{count}]", choices=known, wrong=wrong)
        return known.index(answer) % count

    def hidden(self, question: str, *, flag: str) -> str:  # noqa: ARG002  # the protocol's
        """Read a line without echo."""
        from getpass import getpass

        try:
            return getpass(f"{question} ", stream=sys.stderr)
        except (KeyboardInterrupt, EOFError):  # Ctrl-C, Ctrl-D
            raise Interrupted from None

    def _answer(self, question: str, *, choices: list[str] | None = None, wrong: str = "") -> str:
        """Return the line that the user types; ask again until it is one of `choices`.

        Args:
            question: What is asked.
            choices: The answers that are accepted. None accepts any.
            wrong: What is printed for other answers.

        Raises:
            Interrupted: Ctrl-C, or the end of input.
        """
        from rich.console import Console
        from rich.prompt import Prompt
        from rich.text import Text

        prompt = Prompt(
            Text(clean(question)),
            console=Console(
                file=self._printer.err, no_color=Settings().plain_output, highlight=False
            ),
            choices=choices,
            show_choices=False,
        )
        prompt.prompt_suffix = " "
        prompt.illegal_choice_message = wrong
        try:
            return prompt()
        except (KeyboardInterrupt, EOFError):  # Ctrl-C, Ctrl-D
            raise Interrupted from None
        except UnicodeDecodeError:  # keys that are no text in the terminal's encoding
            ask_again = choices is not None
        return self._answer(question, choices=choices, wrong=wrong) if ask_again else ""


class NoTerminal:
    """Raises for every question: a script, CI, or a pipe cannot answer."""

    interactive = False

    def confirm(self, question: str) -> None:
        """Raise `NeedsAnswer`."""
        raise _needs_answer(question, flag="--yes")

    def offer(self, question: str) -> bool:  # noqa: ARG002  # the protocol's
        """Return False."""
        return False

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Raise `NeedsAnswer` with the options."""
        raise _needs_answer(
            f"{question} ({', '.join(option.split()[0] for option in options)})", flag=flag
        )

    def hidden(self, question: str, *, flag: str) -> str:
        """Raise `NeedsAnswer`."""
        raise _needs_answer(question, flag=flag)


class AssumeYes:
    """Confirms without asking (`--yes`); other questions are asked by another object."""

    def __init__(self, other: Prompts) -> None:
        """Take the object that asks the questions that `--yes` does not answer."""
        self._other = other

    @property
    def interactive(self) -> bool:
        """Whether a person can answer the other questions."""
        return self._other.interactive

    def confirm(self, question: str) -> None:
        """Return, which means yes."""

    def offer(self, question: str) -> bool:  # noqa: ARG002  # the protocol's
        """Return False, because `--yes` confirms what was asked for and adds nothing."""
        return False

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Ask."""
        return self._other.choose(question, options=options, flag=flag)

    def hidden(self, question: str, *, flag: str) -> str:
        """Ask."""
        return self._other.hidden(question, flag=flag)


def prompts(printer: Printer, *, assume_yes: bool) -> Prompts:
    """Return the prompts for this process, which ask only if stdin and stderr are a terminal."""
    asks = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    plain: Prompts = Terminal(printer) if asks else NoTerminal()
    return AssumeYes(plain) if assume_yes else plain


def _needs_answer(question: str, *, flag: str) -> NeedsAnswer:
    from conda_token_plugin.errors.input import NeedsAnswer

    return NeedsAnswer(question, flag=flag)

"""Questions. Without a terminal, each of them is an error that names the option to use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from conda_token_plugin.cli.text import clean
from conda_token_plugin.errors.outcome import Interrupted, NotConfirmed
from conda_token_plugin.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conda_token_plugin.cli.output import Printer
    from conda_token_plugin.errors.input import NeedsAnswer


class Prompts:
    """Raises for every question: a script, CI, or a pipe cannot answer."""

    interactive = False
    """Whether a person can answer."""

    def __init__(self, printer: Printer, *, assume_yes: bool = False) -> None:
        """Print with `printer`. With `assume_yes` (``--yes``) confirm without asking."""
        self._printer, self._assume_yes = printer, assume_yes

    def confirm(self, question: str) -> None:
        """Return if the user answers yes, or has done so with ``--yes``.

        Raises:
            NotConfirmed: The user answered no.
            NeedsAnswer: There is no terminal.
            Interrupted: Ctrl-C, or the end of input.
        """
        if not self._assume_yes:
            self._confirm(question)

    def offer(self, question: str) -> bool:
        """Return whether the user wants something optional.

        False without a terminal, and with ``--yes``, which adds nothing to what was asked for.

        Raises:
            Interrupted: Ctrl-C, or the end of input.
        """
        return not self._assume_yes and self._agrees(question)

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Return the index of the chosen option.

        Args:
            question: The question, without the range of numbers.
            options: A line each. The first word is the name, which may also be typed.
            flag: The option of the command line that answers the question.

        Raises:
            NeedsAnswer: There is no terminal.
            Interrupted: Ctrl-C, or the end of input.
        """
        names = ", ".join(option.split()[0] for option in options)
        raise _needs_answer(f"{question} ({names})", flag=flag)

    def hidden(self, question: str, *, flag: str) -> str:
        """Return a line that is not shown while it is typed.

        Raises:
            NeedsAnswer: There is no terminal.
            Interrupted: Ctrl-C, or the end of input.
        """
        raise _needs_answer(question, flag=flag)

    def _confirm(self, question: str) -> None:
        raise _needs_answer(question, flag="--yes")

    def _agrees(self, question: str) -> bool:  # noqa: ARG002  # asked at a terminal only
        return False


class Terminal(Prompts):
    """Asks on a terminal. Questions go to stderr, so that stdout contains only data."""

    interactive = True

    def choose(self, question: str, *, options: Sequence[str], flag: str) -> int:
        """Accept a number or a name; ask again after any other answer."""
        for number, option in enumerate(options, 1):
            self._printer.ask(f"  {number}. {option}\n")
        count = len(options)
        known = [*map(str, range(1, count + 1)), *(option.split()[0] for option in options)]
        wrong = f"Type a number from 1 to {count} (or use {flag})."
        answer = self._answer(f"{question} [1-{count}]", choices=known, wrong=wrong)
        return known.index(answer) % count

    def hidden(self, question: str, *, flag: str) -> str:  # noqa: ARG002  # see Prompts
        """Read a line without echo."""
        from getpass import getpass

        try:
            return getpass(f"{question} ", stream=sys.stderr)
        except (KeyboardInterrupt, EOFError):  # Ctrl-C, Ctrl-D
            raise Interrupted from None

    def _confirm(self, question: str) -> None:
        """Raise `NotConfirmed` for any answer but y and yes."""
        if not self._agrees(question):
            raise NotConfirmed

    def _agrees(self, question: str) -> bool:
        return self._answer(f"{question} [y/N]").lower() in {"y", "yes"}

    def _answer(self, question: str, *, choices: list[str] | None = None, wrong: str = "") -> str:
        """Return the line that the user types; ask again until it is one of `choices`.

        ``wrong`` is printed for other answers. Without ``choices``, any answer is accepted.
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
        except UnicodeDecodeError:  # input that is not valid in the terminal's encoding
            ask_again = choices is not None
        return self._answer(question, choices=choices, wrong=wrong) if ask_again else ""


def prompts(printer: Printer, *, assume_yes: bool) -> Prompts:
    """Return the prompts for this process, which ask only if stdin and stderr are a terminal."""
    asks = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    return (Terminal if asks else Prompts)(printer, assume_yes=assume_yes)


def _needs_answer(question: str, *, flag: str) -> NeedsAnswer:
    from conda_token_plugin.errors.input import NeedsAnswer  # not needed by most commands

    return NeedsAnswer(question, flag=flag)

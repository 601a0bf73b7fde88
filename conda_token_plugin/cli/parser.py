"""From `argv` to a namespace. Only the module of the command that was typed is imported."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any, NoReturn

from conda_token_plugin import __version__
from conda_token_plugin.cli import help as pages
from conda_token_plugin.cli.registry import SHORTHANDS, VERBS, Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from conda_token_plugin.cli.context import CommandContext

COMMON = ("--json", "-q", "--quiet", "-y", "--yes")
"""Options of every command; they are also accepted before the command's name."""


AT = "--at"
"""The common option with a value: the name of a site."""


class Parser(ArgumentParser):
    """An argument parser that raises `BadInput` where argparse prints and exits.

    An option must be written whole: an abbreviation could mean another option in a later version.
    """

    def __init__(self, **facts: Any) -> None:
        """Take the arguments of `ArgumentParser`."""
        super().__init__(allow_abbrev=False, **facts)

    def parse_args(self, args: Sequence[str], namespace: Any = None) -> Namespace:  # type: ignore[override]  # all callers give `args`
        """Parse `args`.

        Raises:
            BadInput: Among others, an argument is unknown; the hint names the most similar option.
        """
        found: Namespace
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            from conda_token_plugin.errors.input import BadInput

            what = f"Unrecognized arguments: {' '.join(unknown)}."
            raise BadInput(what, hint=self._similar(unknown) or f"See: {self.prog} --help")
        return found

    def error(self, message: str) -> NoReturn:
        """Raise the usage error as an error that `main` reports.

        Raises:
            BadInput: always.
        """
        from conda_token_plugin.errors.input import BadInput

        raise BadInput(f"{message[:1].upper()}{message[1:]}.", hint=f"See: {self.prog} --help")

    def _similar(self, words: Sequence[str]) -> str:
        """Return a hint with the option that is most similar to one of `words`, or ""."""
        from difflib import get_close_matches

        known = [name for name in self.option_names() if name.startswith("--")]
        for word in words:
            typed = word.partition("=")[0]
            if len(typed) > len("--") and typed.startswith("--"):
                longer = [name for name in known if name.startswith(typed)]
                close = longer or get_close_matches(typed, known)
                if close:
                    return f"Did you mean: {' or '.join(close)}"
        return ""

    def option_names(self) -> Iterator[str]:
        """Yield the options of this parser and of its actions."""
        yield from self._option_string_actions
        for action in self._actions:
            if isinstance(action.choices, dict):  # the actions of a command
                for parser in action.choices.values():
                    yield from parser.option_names()

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help as all other output, so that a closed pipe and a full disk are handled."""
        from conda_token_plugin.cli.output import Printer

        Printer(out=file).echo(message, colours=True)


class Overview(Parser):
    """The parser of `--help` and `--version` without a command."""

    def format_help(self) -> str:
        """Return the overview of all commands, which fits on one screen."""
        listed = pages.overview(VERBS, prog=self.prog, width=pages.columns())
        return f"{self.format_usage()}{listed}\n"


def parsed(argv: Sequence[str], *, prog: str) -> Namespace:
    """Return the namespace of `argv`; its `verb` is the name of the command.

    Raises:
        BadInput: A command or an option is unknown, or an argument or a command is missing.
        SystemExit: After `--help` and `--version`.
    """
    if "--json" in argv and _leading(argv) == len(argv):
        from conda_token_plugin.errors.input import BadInput

        raise BadInput("--json needs a command.", hint="See: conda token --help")
    words = expanded(argv)
    if words[0].startswith("-"):
        overview(prog=prog).parse_args(words)
    return verb_parser(verb_of(words[0]), prog=prog).parse_args(words[1:])


def expanded(argv: Sequence[str]) -> list[str]:
    """Return `argv` with the command first and with shorthands replaced.

    `--json list` becomes `list --json`, `help` becomes `--help`, `help list` becomes
    `list --help`, and no arguments at all mean `--help`.
    """
    count = _leading(argv)
    common, words = list(argv[:count]), list(argv[count:])
    if words[:1] == ["help"] and len(words) > 1:
        return [words[1], "--help"]
    if not words:
        return ["--help"]
    head = SHORTHANDS.get(words[0], words[:1])
    return [head[0], *common, *head[1:], *words[1:]]


def _leading(argv: Sequence[str]) -> int:
    """Return the number of words before the command: common options, and the value of `--at`."""
    count = 0
    while count < len(argv):
        word = argv[count]
        if word in COMMON or word.startswith(f"{AT}="):
            count += 1
        elif word == AT:
            count += 2
        else:
            break
    return min(count, len(argv))


def overview(*, prog: str) -> Overview:
    """Return the parser of `--help` and `--version`."""
    parser = Overview(prog=prog, usage=f"{prog} COMMAND [options]")
    version = f"conda-token-plugin {__version__}"
    parser.add_argument("-V", "--version", action="version", version=version)
    return parser


def complete_parser(*, prog: str) -> Parser:
    """Return one parser for all commands, for completion. It imports every command's module."""
    parser = overview(prog=prog)
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for verb in VERBS:
        command = commands.add_parser(verb.name, help=verb.summary, **_texts(verb, prog=prog))
        _configured(command, verb=verb)
    return parser


def verb_parser(verb: Verb, *, prog: str) -> Parser:
    """Return the parser of one command."""
    return _configured(Parser(prog=f"{prog} {verb.name}", **_texts(verb, prog=prog)), verb=verb)


def runner(name: str) -> Callable[[CommandContext], int]:
    """Return the function that runs the command `name`."""
    run: Callable[[CommandContext], int] = verb_of(name).module.run
    return run


def verb_of(name: str) -> Verb:
    """Return the command that is called `name`.

    Raises:
        BadInput: There is none; the hint names the most similar one.
    """
    for verb in VERBS:
        if name == verb.name or name in verb.aliases:
            return verb
    from conda_token_plugin.errors.input import BadInput

    if name == "revoke":
        raise BadInput(
            "A token cannot be revoked from here without issuing another one.",
            hint="To replace a token everywhere: conda token reissue. "
            "To forget it on this machine only: conda token remove. "
            "An administrator who revokes your seat invalidates your token.",
        )
    from difflib import get_close_matches

    names = [one for verb in VERBS for one in (verb.name, *verb.aliases)]
    close = get_close_matches(name, [*names, *SHORTHANDS], n=1)
    hint = f"Did you mean: conda token {close[0]}" if close else "See: conda token --help"
    raise BadInput(f"There is no command {name!r}.", hint=hint)


def add_actions(parser: ArgumentParser, summaries: dict[str, str]) -> list[ArgumentParser]:
    """Add the actions of a command, such as `add` of `provider`; return their parsers.

    The options of every command are accepted before an action and after it.

    ``summaries`` has the name of each action, and what it does.
    """
    actions = parser.add_subparsers(
        dest="action", metavar="ACTION", required=True, help="each has its own --help"
    )
    parsers = [actions.add_parser(name, help=text) for name, text in summaries.items()]
    for one in parsers:
        _add_common(one, default=SUPPRESS)  # an option that is absent here keeps its value
    return parsers


def _texts(verb: Verb, *, prog: str) -> dict[str, Any]:
    """Return the description and examples of a command as arguments of its parser."""
    text = (verb.module.__doc__ or "").replace("conda token ", f"{prog} ")
    summary, _, examples = text.partition("\n\n")
    return {"description": summary, "epilog": examples, "formatter_class": pages.Page}


def _configured(parser: Parser, *, verb: Verb) -> Parser:
    """Add the arguments of a command and the common ones to `parser`; return it."""
    if hasattr(verb.module, "configure"):
        verb.module.configure(parser)
    parser.set_defaults(verb=verb.name, yes=False)
    _add_common(parser)
    return parser


def _add_common(parser: ArgumentParser, **default: str) -> None:
    """Add the options of every command to `parser`, with `default` instead of their own."""
    common = parser.add_argument_group("options of every command")
    flag: dict[str, Any] = {"action": "store_true", **default}
    common.add_argument("--json", help="print one JSON document", **flag)
    common.add_argument("-q", "--quiet", help="print only the result", **flag)
    common.add_argument("-y", "--yes", help="confirm without asking", **flag)
    site: dict[str, Any] = {"default": "", **default}
    common.add_argument(AT, metavar="SITE", help="the site to use; see `sites`", **site)

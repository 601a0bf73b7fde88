"""The verbs, and from ``argv`` to a namespace. A verb's module is imported when it is asked for."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from conda_token_plugin import __version__
from conda_token_plugin.cli import help as pages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from conda_token_plugin.cli.context import CommandContext


class Verb(NamedTuple):
    """A command: its name, the group of the help page it stands in, and one line about it.

    Its module (``cli/<name>.py``, a hyphen as an underscore, a word of Python with one after it)
    has ``configure(parser)`` and ``run(call) -> int``, and as its docstring the text of ``--help``.
    """

    name: str
    group: str
    summary: str

    @property
    def module(self) -> ModuleType:
        """The module, imported."""
        name = self.name.replace("-", "_")
        return import_module(
            f"conda_token_plugin.cli.commands.{name}{'_' if iskeyword(name) else ''}"
        )


GET, SEE, OTHER = "Get a token", "See what you have", "Other"
LOG_IN = "Log in"
SHARE = "Share it"
VERBS = (
    Verb("install", GET, "issue a token for your organization and set it"),
    Verb("remove", GET, "forget a token and its configuration"),
    Verb("uninstall", GET, "the same, as anaconda-auth calls it"),
    Verb("set", GET, "set a token that you were given"),
    Verb("config", GET, "use the repository by default, or take that back"),
    Verb("list", SEE, "the stored tokens: organization, channels, expiry"),
    Verb("which", SEE, "the token that a URL gets, and why"),
    Verb("audit", SEE, "find tokens that lie where they should not"),
    Verb("status", SEE, "each token: source, expiry, and whether it works"),
    Verb("sync", SEE, "compare with the service, extend what can be"),
    Verb("test", SEE, "try the configured channels, as conda would"),
    Verb("login", LOG_IN, "log in, with a code or with the browser here"),
    Verb("logout", LOG_IN, "forget the login"),
    Verb("whoami", LOG_IN, "who you are, and your organizations"),
    Verb("export", SHARE, "hand a token to rattler, mamba, netrc, CI, …"),
    Verb("import", SHARE, "take in the tokens that other tools hold"),
    Verb("run", SHARE, "run one command with tokens in its environment"),
    Verb("completion", OTHER, "have a shell complete these commands"),
    Verb("demo", OTHER, "try it all against a service on this machine"),
)


class Parser(ArgumentParser):
    """Raises instead of printing: errors are one line, and worded at one place."""

    def error(self, message: str) -> NoReturn:
        """Turn argparse's complaint into ours.

        Raises:
            BadInput: always.
        """
        from conda_token_plugin.errors.input import BadInput

        raise BadInput(f"{message[:1].upper()}{message[1:]}.", hint=f"See: {self.prog} --help")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help also where not all of its letters can be shown."""
        from conda_token_plugin.cli.output import printable

        super()._print_message(printable(message, file), file)


class Overview(Parser):
    """The commands at a glance; its page is laid out by itself."""

    def format_help(self) -> str:
        """One screen."""
        listed = pages.overview(VERBS, prog=self.prog, width=pages.columns())
        return f"{self.format_usage()}\n{listed}\n"


def parsed(argv: Sequence[str], *, prog: str) -> Namespace:
    """The namespace of ``argv``; its ``verb`` is the name of the command.

    Raises:
        BadInput: an unknown verb or option, or a missing argument.
        SystemExit: after ``--help`` and ``--version``.
    """
    words = list(argv) or ["--help"]
    name = words[0]
    if name.startswith("-"):
        overview(prog=prog).parse_args(words)
    verb = _verb(name)
    return verb_parser(verb, prog=prog).parse_args(words[1:])


def overview(*, prog: str) -> Overview:
    """The parser of ``--help`` and ``--version``: the verbs by group."""
    parser = Overview(prog=prog, usage=f"{prog} COMMAND [options]")
    version = f"conda-token-plugin {__version__}"
    parser.add_argument("-V", "--version", action="version", version=version)
    return parser


def whole(*, prog: str) -> Parser:
    """All verbs in one parser, for completion and the manual page. Imports every verb's module."""
    parser = overview(prog=prog)
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for verb in VERBS:
        command = commands.add_parser(verb.name, help=verb.summary, **texts(verb, prog=prog))
        furnished(command, verb=verb)
    return parser


def verb_parser(verb: Verb, *, prog: str) -> Parser:
    """The parser of one verb."""
    return furnished(Parser(prog=f"{prog} {verb.name}", **texts(verb, prog=prog)), verb=verb)


def texts(verb: Verb, *, prog: str) -> dict[str, Any]:
    """What the page of a verb says, as arguments of its parser."""
    text = (verb.module.__doc__ or "").replace("conda token ", f"{prog} ")
    summary, _, examples = text.partition("\n\n")
    return {"description": summary, "epilog": examples, "formatter_class": pages.Page}


def furnished(parser: Parser, *, verb: Verb) -> Parser:
    """``parser`` with the arguments of ``verb``."""
    verb.module.configure(parser)
    parser.set_defaults(verb=verb.name, yes=False)
    add_common(parser)
    return parser


def add_common(parser: ArgumentParser) -> None:
    """The options that every verb takes."""
    common = parser.add_argument_group("everywhere")
    common.add_argument("--json", action="store_true", help="print one JSON document")
    common.add_argument("-q", "--quiet", action="store_true", help="say nothing but the answer")
    common.add_argument("-y", "--yes", action="store_true", help="answer yes to what is asked")


def runner(name: str) -> Callable[[CommandContext], int]:
    """The function that runs the verb ``name``."""
    run: Callable[[CommandContext], int] = _verb(name).module.run
    return run


def _verb(name: str) -> Verb:
    for verb in VERBS:
        if verb.name == name:
            return verb
    from difflib import get_close_matches

    from conda_token_plugin.errors.input import BadInput

    close = get_close_matches(name, [verb.name for verb in VERBS], n=1)
    hint = f"Did you mean: conda token {close[0]}" if close else "See: conda token --help"
    raise BadInput(f"There is no command {name!r}.", hint=hint)

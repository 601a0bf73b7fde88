"""The manual page, from the same parsers and docstrings as ``--help``.

    python -m conda_token_plugin.cli.man > docs/conda-token-plugin.1

argparse-manpage was tried: it repeats the usage of all commands in the usage of each, and makes
the title of every group of options a heading of the page.
"""

from __future__ import annotations

import re
from argparse import SUPPRESS
from importlib import import_module
from pkgutil import iter_modules
from textwrap import dedent
from typing import TYPE_CHECKING

from conda_token_plugin import __version__, errors, settings
from conda_token_plugin.cli import CONDA_PROG, SCRIPT_PROG

if TYPE_CHECKING:
    from argparse import Action, ArgumentParser
    from collections.abc import Iterator

    from conda_token_plugin.cli.parser import Verb

ABOUT = "organization access tokens for conda channels"
EVERYWHERE = "everywhere"
"""The group of options that every command takes; it is described once."""


def page() -> str:
    """The page in troff's ``man`` macros."""
    return "\n".join([*_head(), *_commands(), *_environment(), *_exit_status()]) + "\n"


def exit_codes() -> dict[int, list[str]]:
    """Each exit code, and what the kinds of errors that end with it stand for, as in the tree."""
    for module in iter_modules(errors.__path__, f"{errors.__name__}."):
        import_module(module.name)
    kinds = errors.TokenPluginError.__subclasses__()
    tree = (errors.__doc__ or "").split()
    meanings: dict[int, list[str]] = {0: ["it worked"]}
    for error in sorted(kinds, key=lambda kind: tree.index(kind.__name__)):
        meanings.setdefault(error.exit_code, []).append(_sentence(error.__doc__))
    return dict(sorted(meanings.items()))


def variables() -> dict[str, str]:
    """Each variable that is read, and what it means."""
    rows = re.findall(r"^\| ``(\S+)`` \| (.+) \|$", settings.__doc__ or "", re.MULTILINE)
    return {name: meaning.replace("``", "") for name, meaning in rows}


def _head() -> Iterator[str]:
    yield f'.TH CONDA\\-TOKEN\\-PLUGIN 1 "" "conda\\-token\\-plugin {__version__}"'
    yield f".SH NAME\n{_plain(SCRIPT_PROG)} \\- {ABOUT}"
    yield ".nh\n.ad l\n.SH SYNOPSIS"
    for prog in (CONDA_PROG, SCRIPT_PROG):
        yield f".B {_plain(prog)}\n.I COMMAND\n[options]\n.br"


def _commands() -> Iterator[str]:
    from conda_token_plugin.cli.parser import VERBS, verb_parser

    group = ""
    for verb in VERBS:
        if verb.group != group:
            group = verb.group
            yield f".SH {_plain(group).upper()}"
        yield from _command(verb, parser=verb_parser(verb, prog=CONDA_PROG))
    yield ".SH OPTIONS OF EVERY COMMAND"
    yield from _options(verb_parser(VERBS[0], prog=CONDA_PROG), everywhere=True)


def _command(verb: Verb, *, parser: ArgumentParser) -> Iterator[str]:
    yield f'.SS "{_plain(verb.name)}"\n{_plain(parser.description or "")}'
    yield from _options(parser, everywhere=False)
    for block in re.split(r"\n\n", (parser.epilog or "").strip()):
        title, _, examples = block.partition("\n")
        if title.endswith(":") and examples.startswith(" "):
            yield f".PP\n{_plain(title)}\n.PP\n.nf\n{_plain(dedent(examples))}\n.fi"
        else:
            yield f".PP\n{_plain(block)}"


def _options(parser: ArgumentParser, *, everywhere: bool) -> Iterator[str]:
    for group in parser._action_groups:  # noqa: SLF001  # argparse has no public way to list them
        if (group.title == EVERYWHERE) is everywhere:
            for action in group._group_actions:  # noqa: SLF001  # as above
                yield from _option(action)


def _option(action: Action) -> Iterator[str]:
    if action.help is not SUPPRESS and "--help" not in action.option_strings:
        # Not argparse's own wording, which is another one from Python 3.13 on.
        words = [", ".join(action.option_strings), _value(action)]
        yield f".TP\n.B {_plain(' '.join(filter(None, words)))}\n{_plain(action.help or '')}"


def _value(action: Action) -> str:
    if action.nargs == 0:
        return ""
    listed = f"{{{','.join(map(str, action.choices))}}}" if action.choices else ""
    return str(action.metavar or listed or action.dest.upper())


def _environment() -> Iterator[str]:
    yield ".SH ENVIRONMENT"
    for name, meaning in variables().items():
        yield f".TP\n.B {_plain(name)}\n{_plain(meaning)}"
    _, _, besides = (settings.__doc__ or "").rpartition("|\n\n")
    yield f".PP\n{_plain(besides.strip().replace('``', ''))}"


def _exit_status() -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for code, meanings in exit_codes().items():
        yield f".TP\n.B {code}\n{_plain('; '.join(meanings))}"


def _sentence(doc: str | None) -> str:
    """The first sentence, as a part of a sentence."""
    first = (doc or "").partition("\n")[0].rstrip(".")
    return first[:1].lower() + first[1:]


def _plain(text: str) -> str:
    """``text`` as troff shows it, character for character."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.MULTILINE)


if __name__ == "__main__":
    from conda_token_plugin.cli.output import Printer

    Printer().data(None, text=page())

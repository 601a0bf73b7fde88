"""Generate the parts of the reference that are facts of the code.

A page that contains the comment ``<!-- generated: NAME -->`` gets the Markdown of the function of
that name: ``commands`` from the parser of each command, ``exit_codes`` from the errors.
"""

from __future__ import annotations

import re
from argparse import SUPPRESS
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from conda_token_plugin import errors
from conda_token_plugin.cli.parser import verb_parser
from conda_token_plugin.cli.registry import VERBS

if TYPE_CHECKING:
    from argparse import Action, ArgumentParser
    from collections.abc import Iterator

    from conda_token_plugin.cli.registry import Verb

PROG = "conda token"
MARKER = re.compile(r"<!-- generated: (\w+) -->")
QUOTED = re.compile(r"(`[^`]*`)")
CODE = re.compile(r"(?<![\w-])(?:--[a-z][a-z-]*|~/[\w./-]*\w|\$?[A-Z]+_[A-Z_]+(?:<[A-Z]+>)?)")
FIRST_SENTENCE = re.compile(r".*?\.(?= |$)")
USAGE = re.compile(r"\[[^\]]*\]|\S+")
LINE = 72
"""Characters of a line of the usage, which is as wide as the column of the text."""
SPECIAL = re.compile(r"[<>*_~]")
"""Characters that are markup in Markdown."""
POSITIONAL, OPTIONS = "positional arguments", "options"
"""The titles that argparse gives to arguments without a group."""
COMMON = "options of every command"
"""The title of the group of options that is documented once."""


def commands() -> str:
    """Return a section for each group of commands, and one for each command in it."""
    parsers = {verb: verb_parser(verb, prog=PROG) for verb in VERBS}
    lines: list[str] = []
    for group in dict.fromkeys(verb.group for verb in VERBS):
        lines += [f"## {group}", ""]
        for verb, parser in parsers.items():
            if verb.group == group:
                lines += _command(verb, parser)
    lines += ["## Options of every command", "", *_options(parsers[VERBS[0]], title=COMMON)]
    return "\n".join(lines)


def exit_codes() -> str:
    """Return the table of exit codes: the meaning of each is that of its errors."""
    meanings: dict[int, list[str]] = {0: ["Success."]}
    for module in iter_modules(errors.__path__, f"{errors.__name__}."):
        import_module(module.name)
    for kind in errors.TokenPluginError.__subclasses__():
        meaning = FIRST_SENTENCE.match(" ".join((kind.__doc__ or "").split()))
        meanings.setdefault(kind.exit_code, []).append(meaning[0] if meaning else "")
    rows = [f"| {code} | {'<br>'.join(sorted(meanings[code]))} |" for code in sorted(meanings)]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def _command(verb: Verb, parser: ArgumentParser) -> Iterator[str]:
    yield from (f"### {verb.name}", "", _plain(parser.description or ""), "")
    if verb.aliases:
        names = ", ".join(f"`{PROG} {alias}`" for alias in verb.aliases)
        yield from (f"Other names: {names}.", "")
    usage = parser.format_usage().removeprefix("usage: ")
    yield from ("```text", *_usage(usage), "```", "")
    titles = [group.title or "" for group in parser._action_groups]  # noqa: SLF001  # no public way
    for title in titles[1:]:  # the first one is that of positional arguments: see _options
        if title != COMMON:
            yield from _options(parser, title=title)
    examples, _, notes = (parser.epilog or "").partition("\n\n")
    yield from ("Examples:", "", "```sh", *_examples(examples), "```", "")
    yield from (_plain(notes), "")


def _options(parser: ArgumentParser, *, title: str) -> Iterator[str]:
    """Yield the arguments of one group as a table, with the title of the group before it.

    Arguments without a group are in one table: positional arguments, then options.
    """
    titles = (POSITIONAL, OPTIONS) if title == OPTIONS else (title,)
    groups = (one for one in parser._action_groups if one.title in titles)  # noqa: SLF001  # as above
    actions = [one for group in groups for one in group._group_actions]  # noqa: SLF001  # as above
    shown = [one for one in actions if one.help != SUPPRESS and one.dest != "help"]
    if not shown:
        return
    if title not in {OPTIONS, COMMON}:
        yield from (f"{title[:1].upper()}{title[1:]}:", "")
    yield from ("| option | meaning |", "|---|---|")
    for action in shown:
        yield f"| {_names(action)} | {_plain(_help(action)).replace('|', chr(92) + '|')} |"
    yield ""


def _names(action: Action) -> str:
    value = ""
    if action.nargs != 0:
        metavar = action.metavar or (
            "{" + ",".join(map(str, action.choices)) + "}"
            if action.choices
            else action.dest.upper()
        )
        value = metavar if isinstance(metavar, str) else " ".join(metavar)
    if not action.option_strings:
        return f"`{value}`"
    return ", ".join(f"`{name} {value}`".replace(" `", "`") for name in action.option_strings)


def _help(action: Action) -> str:
    return (action.help or "").replace("%%", "%")


def _usage(usage: str) -> list[str]:
    """Return the usage in lines, none of which ends between an option and its value."""
    lines = [""]
    for part in USAGE.findall(" ".join(usage.split())):
        if len(f"{lines[-1]} {part}") > LINE:
            lines.append("   ")
        lines[-1] = f"{lines[-1]} {part}" if lines[-1] else part
    return lines


def _examples(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.startswith(" ")]


def _plain(text: str) -> str:
    """Return help text as Markdown: options, variables and paths become code."""
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join("".join(map(_marked, QUOTED.split(part))) for part in paragraphs)


def _marked(part: str) -> str:
    if part.startswith("`"):
        return part
    marked = CODE.sub(r"`\g<0>`", part)
    return "".join(
        one if one.startswith("`") else SPECIAL.sub(r"\\\g<0>", one) for one in QUOTED.split(marked)
    )


def _fill(_app: Any, _page: str, source: list[str]) -> None:
    """Replace the comments of one page; Sphinx calls it when it reads the page."""
    source[0] = MARKER.sub(lambda found: GENERATORS[found[1]](), source[0])


GENERATORS = {"commands": commands, "exit_codes": exit_codes}


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("source-read", _fill)
    return {"parallel_read_safe": True}

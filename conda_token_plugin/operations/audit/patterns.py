"""What a token looks like in a text: the values that we know, and the shapes of others. Pure.

| rule           | what it finds                                                                |
|----------------|------------------------------------------------------------------------------|
| stored-token   | the exact value of a token or API key that is stored or supplied here        |
| token-in-url   | ``https://host/t/<token>/…``                                                 |
| login-in-url   | ``https://user:password@host/…``                                             |
| token-header   | ``Authorization: token …`` and ``Bearer …``                                  |
| token-variable | ``ANACONDA_REPO_TOKEN_…=…``, ``ANACONDA_AUTH_API_KEY=…`` and the like        |
| token-command  | ``conda token set …``, ``anaconda --token …``                                |
| anaconda-org   | tokens of anaconda.org: two letters and a UUID                               |
| api-key        | JSON Web Tokens: what a login at anaconda.com yields                         |

What only stands for a secret (``<TOKEN>``, ``$TOKEN``, ``*****``) is none.
A value is reported once for each place where it stands, by the first rule that fits.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conda_token_plugin.tokens.patterns import (
    AUTHORIZATION,
    SET_COMMAND,
    WORD,
    is_placeholder,
    token_arguments,
)
from conda_token_plugin.tokens.url_credentials import laden

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST = 8
"""Characters: a shorter stored value would be found everywhere by chance."""
_WORD = rf"({WORD}{{8,}})"
_ANY_WORD = re.compile(rf"{WORD}+")
_NAMES = (
    r"ANACONDA_(?:REPO_TOKEN(?:_[A-Z0-9_]+)?|AUTH_API_KEY|SERVICE_ACCOUNT_TOKEN|API_TOKEN)"
    r"|BINSTAR_API_TOKEN|CONDA_TOKEN"
)
PATTERNS = {
    "token-header": re.compile(rf"{AUTHORIZATION}{_WORD}", re.IGNORECASE),
    "token-variable": re.compile(rf"\b(?:{_NAMES})['\"]?[ \t]*[:=][ \t]*['\"]?{_WORD}"),
    "token-command": re.compile(rf"\banaconda\b[^\n]{{0,200}}?[ \t](?:-t|--token)[ \t=]{_WORD}"),
    "anaconda-org": re.compile(
        r"(?<![\w-])([a-z]{2}-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})(?![\w-])"
    ),
    "api-key": re.compile(r"(?<![\w-])(eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})", re.ASCII),
}


class Known(dict[str, str]):
    """Values with their owners. A traceback that shows all variables shows none of them."""

    def __repr__(self) -> str:
        """How many there are."""
        return f"<{len(self)} known values>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A value in a text, from ``start`` to ``end``; in a URL the whole URL."""

    rule: str
    start: int
    end: int
    value: str = field(repr=False)
    clean: str | None = None
    """What can stand there instead, where something can: the URL without its credential."""


def hits(text: str, *, known: Iterable[str]) -> list[Hit]:
    """Every value in ``text``, by place; ``known`` are the values that we have."""
    values = [value for value in known if len(value) >= SHORTEST]
    found: list[Hit] = []
    for hit in _candidates(text, values):
        at = bisect_left(found, hit.start, key=_start)
        after_the_last = at == 0 or found[at - 1].end <= hit.start
        if after_the_last and (at == len(found) or hit.end <= found[at].start):
            found.insert(at, hit)
    return found


def _start(hit: Hit) -> int:
    return hit.start


def _candidates(text: str, known: list[str]) -> Iterator[Hit]:
    yield from _in_urls(text, known=known)
    yield from _known(text, known)
    yield from _shapes(text)
    yield from _arguments(text)


def _in_urls(text: str, *, known: list[str]) -> Iterator[Hit]:
    for one in laden(text):
        rule = "login-in-url" if one.username else "token-in-url"
        yield Hit(
            rule="stored-token" if one.value in known else rule,
            start=one.start,
            end=one.end,
            value=one.value,
            clean=one.clean,
        )


def _known(text: str, values: list[str]) -> Iterator[Hit]:
    for value in values:
        at = text.find(value)
        while at != -1:
            yield Hit(rule="stored-token", start=at, end=at + len(value), value=value)
            at = text.find(value, at + len(value))


def _shapes(text: str) -> Iterator[Hit]:
    for rule, pattern in PATTERNS.items():
        for match in pattern.finditer(text):
            yield from _hit(rule, match[1], at=match.start(1))


def _arguments(text: str) -> Iterator[Hit]:
    """The token of commands that set one: the first word that is no option, nor an option's."""
    for command in SET_COMMAND.finditer(text):
        words = list(_ANY_WORD.finditer(command[1]))
        first = next(token_arguments(word[0] for word in words), None)
        if first is not None and len(first[1]) >= SHORTEST:
            number, value = first
            at = command.start(1) + words[number].end() - len(value)
            yield from _hit("token-command", value, at=at)


def _hit(rule: str, value: str, *, at: int) -> Iterator[Hit]:
    if not is_placeholder(value) and "://" not in value:
        yield Hit(rule=rule, start=at, end=at + len(value), value=value)

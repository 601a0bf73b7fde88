"""The token in whatever people paste: a value in quotes, a URL, a command, a mail. Pure.

What is looked for, in this order; the first row that finds anything decides:

| what was pasted                                                   | the token                  |
|-------------------------------------------------------------------|----------------------------|
| URLs with ``/t/<token>/``                                         | that segment               |
| ``conda token set …``, ``anaconda token install …`` and the like  | the word that is no option |
| ``Authorization: token …`` or ``Bearer …``                        | the word after it          |
| ``ANACONDA_REPO_TOKEN=…``, ``token: …``, ``"token": "…"``         | the value                  |
| one word                                                          | that word                  |
| any text                                                          | 48 letters and digits      |

Quotes, brackets, invisible characters and punctuation around a word are no part of it.
What only stands for a token (``<TOKEN>``) does not count, nor does what is shorter than any.
Of several different ones the one with 48 letters and digits is meant; otherwise none is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.tokens.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LONGEST = 64 * 1024
"""Characters that are looked at: a long mail."""
SHORTEST = 8
"""Characters of a token, at least: a shorter word is none."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_AROUND = " \t\r\n\u00a0'\"`<>()[]{}«»\u00b4\u2018\u2019\u201c\u201d\u201e,;:!"
"""What stands around a word in prose, mail and code; a final full stop is taken off besides."""
_STANDS_FOR_ONE = re.compile(
    r"[$%].*|[x*•…._-]+|(?:(?:your|my|the|site|org|organization|access|api|repo|repository|conda)"
    r"[ _-]*)*(?:token|key)(?:[ _-]*(?:here|value))?",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"/t/([^/\s?#\"']+)")
_COMMAND = re.compile(
    r"conda(?:[ \t]+token|-token|-token-plugin)[ \t]+(?:set|install|issue)\b([^\n;|&#]*)",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\bauthorization['\"]?\s*[:=]\s*['\"]?(?:token|bearer)\s+(\S+)", re.IGNORECASE
)
_ASSIGNED = re.compile(r"\b\w*token['\"]?[ \t]*[:=][ \t]*['\"]?([^\s'\"]+)", re.IGNORECASE)
_OF_TODAY = re.compile(r"(?<![A-Za-z0-9/_-])[A-Za-z0-9]{48}(?![A-Za-z0-9_-])")
"""Tokens of anaconda.com, seen from outside; nothing promises that they stay like this."""
_WITH_VALUE = ("-o", "--org", "--organization", "-c", "--channel", "--at", "--store")
"""Options of the commands that have a value, which is not the token."""


def token_in(text: str) -> Secret:
    """The token in ``text``.

    Raises:
        MalformedToken: there is none, or more than one. Says what was expected, never what came.
    """
    if len(text) > LONGEST:
        raise MalformedToken(f"it has {len(text)} characters; paste the line that holds the token")
    plain = _INVISIBLE.sub("", text).replace("\u00a0", " ")
    faults = []
    for finder in _FINDERS:
        words = tuple(dict.fromkeys(filter(None, map(_bare, finder(plain)))))
        if any(not _fault(word) for word in words):
            return Secret(_meant([word for word in words if not _fault(word)]))
        faults += [_fault(word) for word in words]
    raise MalformedToken(faults[0] if faults else _missing(plain))


def _meant(words: list[str]) -> str:
    """The one that is meant, of different ones.

    Raises:
        MalformedToken: it is not clear which one.
    """
    likely = [word for word in words if _OF_TODAY.fullmatch(word)] or words
    if len(likely) > 1:
        raise MalformedToken("there are several; paste the one that is meant")
    return likely[0]


def _fault(word: str) -> str:
    """Why ``word`` is no token; empty when it may be one."""
    if _STANDS_FOR_ONE.fullmatch(word):
        return "it only stands for one; put the token in its place"
    if len(word) < SHORTEST:
        return f"it has {len(word)} characters, fewer than any token"
    return ""


def _bare(word: str) -> str:
    return word.strip(_AROUND).rstrip(".").strip(_AROUND)


def _in_urls(text: str) -> Iterable[str]:
    return _IN_URL.findall(text)


def _in_commands(text: str) -> Iterator[str]:
    for arguments in _COMMAND.findall(text):
        yield from _positional(arguments.split())


def _positional(words: list[str]) -> Iterator[str]:
    """The words that are neither options nor their values; the value of ``--token``."""
    expected = iter(words)
    for word in expected:
        if word in _WITH_VALUE:
            next(expected, None)
        elif word.startswith("--token="):
            yield word.partition("=")[2]
        elif not word.startswith("-"):
            yield word


def _in_headers(text: str) -> Iterable[str]:
    return _HEADER.findall(text)


def _in_assignments(text: str) -> Iterable[str]:
    return _ASSIGNED.findall(text)


def _the_only_word(text: str) -> Iterable[str]:
    words = text.split()
    return words if len(words) == 1 and "://" not in text else ()


def _of_today(text: str) -> Iterable[str]:
    return _OF_TODAY.findall(text)


_FINDERS: tuple[Callable[[str], Iterable[str]], ...] = (
    _in_urls,
    _in_commands,
    _in_headers,
    _in_assignments,
    _the_only_word,
    _of_today,
)


def _missing(text: str) -> str:
    if not text.strip(_AROUND):
        return "it is empty"
    if "://" in text:
        return "there is an address in it, and no token (…/t/TOKEN/…)"
    return "none was found in it; one of anaconda.com has 48 letters and digits"

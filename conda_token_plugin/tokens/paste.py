"""Find the token in pasted text: a value in quotes, a URL, a command, a mail. Pure.

The first row that finds anything decides:

| pasted text                                                       | the token                  |
|-------------------------------------------------------------------|----------------------------|
| URLs with ``/t/<token>/``                                         | that segment               |
| ``conda token set …``, ``anaconda token install …``               | the argument               |
| ``Authorization: token …`` or ``Bearer …``                        | the word after it          |
| ``ANACONDA_REPO_TOKEN=…``, ``token: …``, ``"token": "…"``         | the value                  |
| one word                                                          | that word                  |
| any text                                                          | 48 letters and digits      |

Quotes, brackets, invisible characters and punctuation around a word are removed.
Placeholders (``<TOKEN>``) and words shorter than ``MIN_LENGTH`` are ignored.
If a row finds several values, the only one with 48 letters and digits is the token;
otherwise the text is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import MalformedToken
from conda_token_plugin.tokens.secret import NULL_CHARACTERS, Secret
from conda_token_plugin.tokens.url_credentials import PATH_TOKEN, is_placeholder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_TEXT = 64 * 1024
"""Longest accepted text, in characters."""
MIN_LENGTH = 8
"""Shortest accepted token, in characters."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_AROUND = " \t\r\n\u00a0'\"`<>()[]{}«»\u00b4\u2018\u2019\u201c\u201d\u201e,;:!"
"""Characters that surround a word in prose, mail and code."""
_HEADER = re.compile(
    r"\bauthorization['\"]?\s*[:=]\s*['\"]?(?:token|bearer)\s+(\S+)", re.IGNORECASE
)
"""A token in an `Authorization` header."""
_REPOSITORY_TOKEN = re.compile(r"(?<![A-Za-z0-9/_-])[A-Za-z0-9]{48}(?![A-Za-z0-9_-])")
"""A token of anaconda.com: 48 letters and digits (observed, not documented)."""
_SET_COMMAND = re.compile(
    r"(?:\bconda(?:[ \t]+token|-token|-token-plugin)[ \t]+(?:set|install|issue)"
    r"|\banaconda[ \t]+token[ \t]+(?:set|install))\b([^\n;|&#]*)",
    re.IGNORECASE,
)
"""A command that sets a token; the group contains its arguments."""
_OPTIONS_WITH_VALUE = frozenset(
    {
        *("-o", "--org", "--organization", "-c", "--channel", "--at", "--store", "--file"),
        *("--token-file", "--token-env", "--expires", "--username", "--send-as", "--if-expiring"),
    }
)
"""Options of these commands whose value is not the token."""
_ASSIGNED = re.compile(r"\b\w*token['\"]?[ \t]*[:=][ \t]*['\"]?([^\s'\"]+)", re.IGNORECASE)


def token_in(text: str) -> Secret:
    """Return the token in ``text``.

    Raises:
        MalformedToken: it contains no token, or several. The message never shows the text.
    """
    if len(text) > MAX_TEXT:
        raise MalformedToken(
            f"it has {len(text)} characters; paste the line that contains the token"
        )
    plain = _INVISIBLE.sub("", text).replace("\u00a0", " ")
    faults: list[str] = []
    for find in _FINDERS:
        words = tuple(dict.fromkeys(filter(None, map(_stripped, find(plain)))))
        possible = [word for word in words if not _fault(word)]
        if possible:
            return Secret(_only(possible))
        faults += filter(None, map(_fault, words))
    raise MalformedToken(faults[0] if faults else _why_nothing_was_found(plain))


def _only(words: list[str]) -> str:
    """Return the one token among ``words``.

    Raises:
        MalformedToken: several of them may be the token.
    """
    likely = [word for word in words if _REPOSITORY_TOKEN.fullmatch(word)] or words
    if len(likely) > 1:
        raise MalformedToken("there are several; paste the one that is meant")
    return likely[0]


def _fault(word: str) -> str | None:
    """Return why ``word`` cannot be a token, or None if it can."""
    if is_placeholder(word):
        return "it is only a placeholder; replace it with the token"
    if len(word) < MIN_LENGTH:
        return f"it has {len(word)} characters, fewer than any token"
    return None


def _stripped(word: str) -> str:
    return word.strip(_AROUND).rstrip(".").strip(_AROUND)


def _in_commands(text: str) -> Iterator[str]:
    """Yield the words of commands that set a token, without options and their values."""
    for arguments in _SET_COMMAND.findall(text):
        words = iter(arguments.split())
        for word in words:
            if word in _OPTIONS_WITH_VALUE:
                next(words, None)
            elif word.startswith("--token="):
                yield word.partition("=")[2]
            elif not word.startswith("-"):
                yield word


def _single_word(text: str) -> Iterable[str]:
    words = text.split()
    return words if len(words) == 1 and "://" not in text else ()


_FINDERS: tuple[Callable[[str], Iterable[str]], ...] = (
    PATH_TOKEN.findall,
    _in_commands,
    _HEADER.findall,
    _ASSIGNED.findall,
    _single_word,
    _REPOSITORY_TOKEN.findall,
)


def _why_nothing_was_found(text: str) -> str:
    if not text.strip(_AROUND):
        return "it is empty"
    if "\0" in text:
        return NULL_CHARACTERS
    if "://" in text:
        return "it contains a URL without a token (…/t/TOKEN/…)"
    return "no token was found in it; a token of anaconda.com has 48 letters and digits"

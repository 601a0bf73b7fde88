"""URLs with a credential in them, found in any text. Pure.

``https://host/t/<token>/…`` is how conda's URLs carry a token, ``https://user:password@host/…``
how any URL carries a login. What only stands for a secret is none: ``<TOKEN>``, ``$TOKEN``,
``*****``, ``%(token)s``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

_URL = re.compile(r"https?://[^\s\"'`|^\\]+", re.IGNORECASE)
_LOGIN = re.compile(r"^(https?://)([^/?#@:]*):([^/?#@]+)@", re.IGNORECASE)
_USER = re.compile(r"^(https?://)([^/?#@]+)@", re.IGNORECASE)
_TOKEN = re.compile(r"/t/([^/?#]+)")
_STANDS_FOR_ONE = re.compile(
    r".*[$<>{}].*|[*x•….-]+|%.*|(?:(?:your|my|the|access|api|repo|conda)[_-]?)*"
    r"(?:token|password|passwd|pass|secret)",
    re.IGNORECASE,
)
_TRAILING = ").,;:>]}"
"""What ends a sentence or a bracket around a URL, and not the URL."""
_SUBDIR = re.compile(r"/(?:noarch|(?:linux|osx|win|emscripten|wasi|freebsd|zos)-\w+)(?:/.*)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlCredential:
    """A URL that carries a credential; ``start`` and ``end`` are where it stands in the text."""

    start: int
    end: int
    clean: str
    """The URL without the credential."""
    value: str = field(repr=False)
    username: str = ""
    """Of a login; a token in the path has none."""

    @property
    def channel(self) -> str:
        """The clean URL up to the channel: without a subdir and what follows it."""
        return _SUBDIR.sub("", self.clean)


def laden(text: str) -> Iterator[UrlCredential]:
    """Every URL in ``text`` that carries a credential; of two in one, the token in the path."""
    for match in _URL.finditer(text):
        url = _trimmed(match[0])
        found = _credential(url)
        if found is not None:
            username, value = found
            yield UrlCredential(
                start=match.start(),
                end=match.start() + len(url),
                clean=_clean(url),
                value=value,
                username=username,
            )


def line_of(text: str, at: int) -> int:
    """The number of the line that the position ``at`` is in; the first is 1."""
    return text.count("\n", 0, at) + 1


def stands_for_one(value: str) -> bool:
    """Whether ``value`` is only a placeholder for a secret."""
    return _STANDS_FOR_ONE.fullmatch(value) is not None


def _credential(url: str) -> tuple[str, str] | None:
    for token in _TOKEN.findall(url):
        if not stands_for_one(token):
            return "", token
    login = _LOGIN.match(url)
    if login is None or stands_for_one(login[3]):
        return None
    return unquote(login[2]), unquote(login[3])


def _clean(url: str) -> str:
    """``url`` without token and login; a placeholder stays."""
    url = _TOKEN.sub(lambda found: found[0] if stands_for_one(found[1]) else "", url)
    return _USER.sub(r"\1", url)


def _trimmed(url: str) -> str:
    """A placeholder may end with the bracket that prose puts around a URL."""
    bare = url.rstrip(_TRAILING)
    return bare if bare.count("<") <= bare.count(">") else url

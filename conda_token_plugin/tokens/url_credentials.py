"""Find URLs that contain a credential, in any text. Pure.

conda writes a token as ``https://host/t/<token>/…``, and any URL can contain a login:
``https://user:password@host/…``. Without the scheme conda takes both for names of channels:
``t/<token>/name`` works (it is below ``channel_alias``), and ``user:password@host/name`` sends the
password to another server (24.11 and 26.7.1). Placeholders (``<TOKEN>``, ``$TOKEN``, ``*****``)
are ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from conda_token_plugin.tokens.scope import channel_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH_TOKEN = re.compile(r"/t/([^/\s?#\"']+)")
"""A token in the path of a URL, as conda writes it."""
_BEGIN = r"(?<![^\s\"'`,=\[])"
_END = r"[^\s\"'`|^\\]+"
_URL = re.compile(
    rf"(?:https?|s3|ftp|oci)://{_END}"
    rf"|{_BEGIN}[^\s\"'`,=\[\]{{}}/:@]+:[^\s\"'`,\[\]{{}}/@]+@[\w-]+(?:\.[\w-]+)+(?::\d+)?/{_END}"
    rf"|{_BEGIN}(?:[\w.:-]+/){{0,9}}t/(?=[\w.-]*\d)[\w.-]{{20,}}/{_END}",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"^([a-z0-9]+://)?([^/?#@:]*):([^/?#@]+)@", re.IGNORECASE)
_USER = re.compile(r"^([a-z0-9]+://)?([^/?#@]+)@", re.IGNORECASE)
_TRAILING = ").,;:>]}"
"""Characters that end a sentence or a bracket, and not the URL."""
_PLACEHOLDER = re.compile(
    r"\$.*|%(?![0-9a-f]{2}).*|\{.*\}|.*(?:<|>|\$\{|\$\(|\{\{|\$[A-Z_]{2}).*|[x*•…._-]+"
    r"|(?:(?:your|my|the|site|org|organization|access|api|repo|repository|conda)[ _-]*)*"
    r"(?:token|key|password|passwd|pass|secret)(?:[ _-]*(?:here|value))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlCredential:
    """A URL that contains a credential, from ``start`` to ``end`` of the text."""

    start: int
    end: int
    clean: str
    """The URL without the credential."""
    value: str = field(repr=False)
    username: str = ""
    """The user name of a login; empty for a token in the path."""

    @property
    def channel(self) -> str:
        """The channel that the URL belongs to, without the credential."""
        return channel_of(self.clean)


def url_credentials(text: str) -> Iterator[UrlCredential]:
    """Yield every URL in ``text`` that contains a credential; a token precedes a login."""
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


def is_placeholder(value: str) -> bool:
    """Return whether `value` only marks the place of a secret: `<TOKEN>`, `$TOKEN`, `*****`."""
    return _PLACEHOLDER.fullmatch(value) is not None


def line_of(text: str, at: int) -> int:
    """Return the number of the line at position ``at``; the first line is 1."""
    return text.count("\n", 0, at) + 1


def _credential(url: str) -> tuple[str, str] | None:
    for token in PATH_TOKEN.findall(f"/{url}"):
        if not is_placeholder(token):
            return "", unquote(token)
    login = _LOGIN.match(url)
    if login is None or is_placeholder(login[3]):
        return None
    return unquote(login[2]), unquote(login[3])


def _clean(url: str) -> str:
    """``url`` without token and login; a placeholder stays."""
    url = PATH_TOKEN.sub(lambda found: found[0] if is_placeholder(found[1]) else "", f"/{url}")
    return _USER.sub(r"\1", url[1:])


def _trimmed(url: str) -> str:
    """Remove trailing punctuation, but not the closing bracket of a placeholder."""
    bare = url.rstrip(_TRAILING)
    return bare if bare.count("<") <= bare.count(">") else url

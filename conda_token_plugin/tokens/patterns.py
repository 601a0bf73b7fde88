"""Patterns of tokens and placeholders in text: each is defined here and nowhere else. Pure.

The one exception is the pattern that hides tokens in error messages (`errors.CREDENTIAL_FORMAT`),
because `errors` imports nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WORD = r"[^\s'\"`;|&<>(){}]"
"""A character of a value in a shell command, a header or a configuration file."""
PATH_TOKEN = re.compile(r"/t/([^/\s?#\"']+)")
"""A token in the path of a URL, as conda writes it."""
AUTHORIZATION = r"\bauthorization['\"]?\s*[:=]\s*['\"]?(?:token|bearer)\s+"
"""What precedes a token in an `Authorization` header. Case-insensitive."""
REPOSITORY_TOKEN = re.compile(r"(?<![A-Za-z0-9/_-])[A-Za-z0-9]{48}(?![A-Za-z0-9_-])")
"""A token of anaconda.com: 48 letters and digits (observed, not documented)."""
SET_COMMAND = re.compile(
    r"(?:\bconda(?:[ \t]+token|-token|-token-plugin)[ \t]+(?:set|install|issue)"
    r"|\banaconda[ \t]+token[ \t]+(?:set|install))\b([^\n;|&#]*)",
    re.IGNORECASE,
)
"""A command that sets a token; the group holds its arguments."""
OPTIONS_WITH_VALUE = frozenset(
    {
        *("-o", "--org", "--organization", "-c", "--channel", "--at", "--store", "--file"),
        *("--token-file", "--token-env", "--expires", "--username", "--send-as", "--if-expiring"),
    }
)
"""Options of these commands whose value is not the token."""

_PLACEHOLDER = re.compile(
    r"\$.*|%(?![0-9a-f]{2}).*|\{.*\}|.*(?:<|>|\$\{|\$\(|\{\{|\$[A-Z_]{2}).*|[x*•…._-]+"
    r"|(?:(?:your|my|the|site|org|organization|access|api|repo|repository|conda)[ _-]*)*"
    r"(?:token|key|password|passwd|pass|secret)(?:[ _-]*(?:here|value))?",
    re.IGNORECASE,
)


def is_placeholder(value: str) -> bool:
    """Return whether `value` only marks the place of a secret: `<TOKEN>`, `$TOKEN`, `*****`."""
    return _PLACEHOLDER.fullmatch(value) is not None


def token_arguments(words: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield index and text of the arguments of a command that may be a token.

    These are the words that are neither options nor values of other options, and the value of
    `--token=…`.
    """
    skip = False
    for number, word in enumerate(words):
        if skip:
            skip = False
        elif word in OPTIONS_WITH_VALUE:
            skip = True
        elif word.startswith("--token="):
            yield number, word.partition("=")[2]
        elif not word.startswith("-"):
            yield number, word

"""Budgets of the drop-in: every conda command reads it, and every URL is matched with its entries.

On conda 26.7.1 an entry takes 1 million instructions of every command and 1 µs of every URL.
"""

from __future__ import annotations

from fnmatch import fnmatch

import pytest

from conda_token_plugin.integrations.conda.dropin import composed
from conda_token_plugin.tokens.scope import organization_prefix, pattern, shared_prefixes
from conda_token_plugin.tokens.token import Token, TokenKind

REPOSITORY = "https://repo.anaconda.cloud/repo/"
COMMENT_LINES, COMMENT_CHARACTERS = 1, 80


def token(organization: str, *more: str) -> Token:
    scope = (organization_prefix(REPOSITORY, organization), *more)
    return Token(organization=organization, kind=TokenKind.INDIVIDUAL, scope=scope)


def test_a_drop_in_has_one_entry_per_prefix() -> None:
    text = composed([token("acme", *shared_prefixes(REPOSITORY)), token("globex")])
    assert text.count("channel:") == 5


@pytest.mark.parametrize(
    "prefixes",
    [
        {"https://a.example", "https://b.example"},
        {"https://a.example", "https://a.example/x", "https://b.example/x"},
        {"https://a.example/x", "https://a.example/y", "https://a.example/x/z"},
        {"http://127.0.0.1:1/repo/x", "http://127.0.0.1:2/repo/y", "https://127.0.0.1/repo/x"},
    ],
)
def test_globs_cover_every_prefix_and_no_other_host(prefixes: set[str]) -> None:
    globs = [pattern(prefix) for prefix in prefixes]
    text = composed([token("acme", *prefixes)])

    assert all(f'"{glob}"' in text for glob in globs)
    assert all(any(fnmatch(f"{prefix}/main", glob) for glob in globs) for prefix in prefixes)
    others = ("https://c.example/x/main", "http://127.0.0.1:3/repo/x/main", "https://a.example.c/x")
    assert not any(fnmatch(url, glob) for url in others for glob in globs)


def test_file_has_one_short_comment() -> None:
    comments = [line for line in composed([token("acme")]).splitlines() if line.startswith("#")]
    assert len(comments) <= COMMENT_LINES
    assert all(len(line) <= COMMENT_CHARACTERS for line in comments)

"""Budgets of the drop-in: every conda command reads it, and every URL is matched with its entries.

On conda 26.7.1 an entry takes 1 million instructions of every command and 1 µs of every URL.
"""

from __future__ import annotations

from conda_token_plugin.integrations.conda.dropin import composed
from conda_token_plugin.tokens.repository_layout import shared_prefixes
from conda_token_plugin.tokens.token import TokenKind
from tests.support.tokens import REPOSITORY, token

COMMENT_LINES, COMMENT_CHARACTERS = 1, 80


def test_drop_in_has_one_entry_per_prefix() -> None:
    individual = {"kind": TokenKind.INDIVIDUAL}
    shared = token("acme", scope=(REPOSITORY, *shared_prefixes(REPOSITORY)), **individual)
    text = composed([shared, token("globex", **individual)])
    assert text.count("channel:") == 5


def test_drop_in_has_one_short_comment() -> None:
    comments = [line for line in composed([token("acme")]).splitlines() if line.startswith("#")]
    assert len(comments) <= COMMENT_LINES
    assert all(len(line) <= COMMENT_CHARACTERS for line in comments)

"""Stores to count in: one token that is asked for, and as many others as a test wants."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.store.envelope import unwrapped, wrapped
from conda_token_plugin.store.index import KIND
from conda_token_plugin.tokens.scope import organization_prefix
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = "https://repo.anaconda.cloud/repo"
COVERED = f"{REPOSITORY}/acme/main/noarch"
BESIDE = f"{REPOSITORY}/nobody/main/noarch"
ELSEWHERE = "https://conda.anaconda.org/conda-forge/noarch"
VALUE = "MadeUp" * 8


def token_of(organization: str) -> Token:
    """A token's metadata."""
    scope = (organization_prefix(REPOSITORY, organization),)
    return Token(organization=organization, kind=TokenKind.INDIVIDUAL, scope=scope)


def keep(folder: Path, *, count: int) -> Path:
    """Keep a token of acme in the store at ``folder``, and have the index name ``count``."""
    store = user_store(Settings())
    store.add(token_of("acme"), Secret(VALUE))
    if count > 1:
        _swell(folder / "index.jsonl", count=count)
    dropin.write(Settings().condarc, tokens=store.tokens())
    return folder


def _swell(path: Path, *, count: int) -> None:
    """Copy the token's line of the index, as other organizations'."""
    first, line = unwrapped(KIND, path.read_bytes()).splitlines()
    head = json.loads(first)
    others = [token_of(f"organization-{number:05}") for number in range(count - 1)]
    head["scopes"] |= {other.key: other.scope[0] for other in others}
    lines = [json.dumps(head).encode(), *[line] * count, b""]
    path.write_bytes(wrapped(KIND, b"\n".join(lines)))

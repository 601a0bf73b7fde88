"""Stores to count in: the token of acme, and as many other tokens as a test wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.store.index import TOKENS, Entry, Index, Slot, decoded
from conda_token_plugin.tokens.repository_layout import organization_prefix
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import TokenKind
from tests.support.tokens import token

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.tokens.token import Token

REPOSITORY = "https://repo.anaconda.cloud/repo"
COVERED = f"{REPOSITORY}/acme/main/noarch"
BESIDE = f"{REPOSITORY}/nobody/main/noarch"
ELSEWHERE = "https://conda.anaconda.org/conda-forge/noarch"
VALUE = "MadeUp" * 8


def token_of(organization: str) -> Token:
    """Return the metadata of an organization's token."""
    scope = (organization_prefix(REPOSITORY, organization),)
    return token(organization, kind=TokenKind.INDIVIDUAL, scope=scope, expires=None)


def keep(folder: Path, *, count: int) -> Path:
    """Store the token of acme, and add tokens to the index until it has ``count``."""
    store = user_store(Settings())
    store.add(token_of("acme"), Secret(VALUE))
    path = folder / "index.json"
    path.write_bytes(filled(decoded(path.read_bytes()), count=count - 1).encoded())
    dropin.write(Settings().condarc, tokens=store.tokens())
    return folder


def filled(index: Index, *, count: int) -> Index:
    """Return ``index`` with the tokens of ``count`` more organizations, without secrets.

    Storing 1,000 tokens one by one takes a minute.
    """
    for number in range(count):
        slot = Slot("file", f"{index.id}.{number}-unused")
        token = token_of(f"organization-{number:05}")
        index = index.stored(TOKENS, token.key, Entry(slot, token.as_json()))
    return index

"""Tokens, secrets and looks into a store, for the tests."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.store.index import decoded
from conda_token_plugin.store.index_file import NAME
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from pathlib import Path

    from conda_token_plugin.store import Store
    from conda_token_plugin.store.index import Index

NOON = datetime(2030, 1, 1, 12, tzinfo=timezone.utc)
SERVICE = "https://service.example"


def token(organization: str, *, last_four: str = "") -> Token:
    return Token(
        organization=organization,
        kind=TokenKind.SITE,
        scope=(f"https://repo.example/repo/{organization}",),
        last_four=last_four,
        expires=NOON,
    )


def value(seed: object, *, length: int = 48) -> str:
    """Letters and digits that depend on ``seed`` alone."""
    pieces = (hashlib.sha256(f"{seed} {n}".encode()).hexdigest() for n in range(length // 64 + 1))
    return "".join(pieces)[:length]


def secret(seed: object, *, length: int = 48) -> Secret:
    return Secret(value(seed, length=length))


class Content(NamedTuple):
    """All that a store holds; two of them are equal if nothing differs."""

    tokens: dict[str, tuple[Token, str]]
    login: str | None


def content(store: Store) -> Content:
    login = store.login(SERVICE)
    return Content(
        {token.key: (token, store.secret(token.key).reveal()) for token in store.tokens()},
        login.reveal() if login else None,
    )


def index_of(folder: Path) -> Index:
    return decoded((folder / NAME).read_bytes())


def live(folder: Path) -> set[str]:
    """The entries that the index gives to tokens and logins."""
    index = index_of(folder)
    slots = [*map(index.slot, index.lines), *index.logins.values()]
    return {slot.entry for slot in slots if slot is not None}


def live_without(folder: Path, key: str) -> set[str]:
    """The same without the token ``key``."""
    slot = index_of(folder).slot(key)
    return live(folder) - {slot.entry if slot else ""}


def doomed(folder: Path) -> set[str]:
    """The entries that the index says are nobody's."""
    return {slot.entry for slot in index_of(folder).doomed}


def files(folder: Path) -> set[str]:
    """The entries that lie in the file vault."""
    secrets = folder / "secrets"
    return {path.name for path in secrets.iterdir()} if secrets.is_dir() else set()

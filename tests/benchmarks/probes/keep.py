"""Keep tokens as the plugin does: ``keep.py REPOSITORY ORGANIZATION TOKEN COUNT``.

The first is kept by the store itself. The others, of made-up organizations, are put into the index
in one go, without secrets: writing 10,000 of them one by one takes minutes, and none is asked for.
"""

from __future__ import annotations

import sys

from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import Store, user_store
from conda_token_plugin.store.index import Slot
from conda_token_plugin.tokens.scope import organization_prefix
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind


def token_of(organization: str, repository: str) -> Token:
    """The metadata of a token for the organization's part of ``repository``."""
    scope = (organization_prefix(repository, organization),)
    return Token(organization=organization, kind=TokenKind.INDIVIDUAL, scope=scope)


def fill(store: Store, repository: str, *, count: int) -> None:
    """Put ``count`` tokens of made-up organizations into the index of ``store``."""
    file = store._secrets.file
    index = file.read().content
    for number in range(count):
        token = token_of(f"organization-{number:05}", repository)
        index = index.with_metadata(token, slot=Slot("file", f"{index.id}.{number}-unused"))
    file.write(index)


def main(repository: str, organization: str, value: str, count: str) -> None:
    """Keep them, and have conda know."""
    environment = Settings()
    store = user_store(environment)
    store.add(token_of(organization, repository), Secret(value))
    if int(count) > 1:
        fill(store, repository, count=int(count) - 1)
    dropin.write(environment.condarc, tokens=store.tokens())


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.write("null")

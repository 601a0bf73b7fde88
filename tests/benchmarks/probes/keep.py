"""Store tokens as the plugin does: ``keep.py REPOSITORY ORGANIZATION TOKEN COUNT``.

TOKEN is stored for ORGANIZATION, and COUNT - 1 tokens more for organizations that do not exist.
"""

from __future__ import annotations

import sys

from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.settings import Settings
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.repository_layout import organization_prefix
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind


def main(repository: str, organization: str, value: str, count: str) -> None:
    """Store the tokens and write the drop-in for them."""
    settings = Settings()
    store = user_store(settings)
    names = [organization, *(f"organization-{number:05}" for number in range(int(count) - 1))]
    for name in names:
        scope = (organization_prefix(repository, name),)
        token = Token(organization=name, kind=TokenKind.INDIVIDUAL, scope=scope)
        store.add(token, Secret(value if name == organization else f"unused-{name}"))
    dropin.write(settings.condarc, tokens=store.tokens())


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.write("null")

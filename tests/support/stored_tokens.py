"""Store tokens on a machine without a service, as ``conda token install`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.store_token import store_token
from conda_token_plugin.settings import token_variable
from conda_token_plugin.store import user_store
from conda_token_plugin.tokens.repository_layout import organization_prefix, shared_prefixes
from conda_token_plugin.tokens.scope import normalised
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from tests.support.machine import Machine

USERS = {"acme": "ada", "globex": "ada", "acme-evil": "mallory", "initech": "carol"}
"""A user with a seat in each organization."""


def hold(machine: Machine, organization: str, *, shared: bool = False, **facts: Any) -> str:
    """Issue a token and store it on ``machine``; return its value."""
    issued = machine.sandbox.world.issue(organization, USERS[organization])
    repository = machine.sandbox.repo
    scope = (organization_prefix(repository, organization),)
    facts.setdefault("scope", scope + (shared_prefixes(repository) if shared else ()))
    facts.setdefault("expires", issued.expires)
    put(machine, issued.value, organization=organization, **facts)
    return issued.value


def put(machine: Machine, value: str, *, organization: str, **facts: Any) -> Token:
    """Store ``value`` on ``machine`` as a token with these metadata."""
    scope = tuple(normalised(url) for url in facts.pop("scope"))
    secret = Secret(value)
    token = Token(
        organization=organization,
        scope=scope,
        kind=facts.pop("kind", TokenKind.INDIVIDUAL),
        last_four=secret.last_four,
        **facts,
    )
    store_token(token, secret=secret, store=user_store(machine.settings), at=machine.dropin)
    return token


def supply(machine: Machine, organization: str, *, value: str = "") -> str:
    """Set a token in the variables of ``machine`` and configure conda for it; return its value."""
    value = value or machine.sandbox.world.issue(organization, USERS[organization]).value
    machine.variables[token_variable(organization)] = value
    prefix = organization_prefix(machine.sandbox.repo, organization)
    token = Token(organization=organization, kind=TokenKind.UNKNOWN, scope=(prefix,))
    dropin.write(machine.dropin, tokens=[token])
    return value

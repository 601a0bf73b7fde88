"""Whether `install` has to issue a token: what is stored says it, and then who knows better.

An issue revokes, on every machine. So a script that runs each day must not issue each day:
a token that was extended on the web page is good for longer than its metadata says,
and until the subscription is renewed a new token ends on the day that the old one does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.operations.issue_token import reason_to_issue
from conda_token_plugin.operations.sync_tokens import Inquiry
from conda_token_plugin.tokens.reconcile import SyncOutcome
from conda_token_plugin.tokens.scope import organization_prefix
from conda_token_plugin.tokens.token import TokenKind, TokenVerdict

if TYPE_CHECKING:
    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.models import CurrentToken
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token

SYNCED = {SyncOutcome.CURRENT, SyncOutcome.EXTENDED}
"""What became of a token that ends when the subscription does, where its end is known."""


class Decision(NamedTuple):
    """Whether to issue, and why; with what is known by now of the token that is held."""

    held: Token | None
    needed: bool
    why: str

    def replaces(self, current: CurrentToken) -> bool:
        """Whether ``current`` is the token that is held, as far as anybody knows."""
        held = self.held
        if (
            held is None
            or held.kind is not TokenKind.INDIVIDUAL
            or held.verdict is not TokenVerdict.GOOD
        ):
            return False
        return held.id in {"", current.id}


def held(call: CommandContext, organization: str, *, store: Store) -> Token | None:
    """The stored token of ``organization`` for its part of the repository."""
    own = organization_prefix(call.settings.repo_url, organization)
    return next(
        (one for one in store.tokens() if one.organization == organization and own in one.scope),
        None,
    )


def by_metadata(call: CommandContext, token: Token | None) -> Decision:
    """What the command line and the store say; no request is made."""
    if not (call.args.if_missing or call.args.if_expiring):
        return Decision(held=token, needed=True, why="it was asked for")
    why = reason_to_issue(token, now=call.now, within=call.args.if_expiring)
    return Decision(held=token, needed=bool(why), why=why or "it still works")


def by_service(
    call: CommandContext, decision: Decision, *, service: Service, store: Store
) -> Decision:
    """What the service says to a script's need of another token; what it tells is kept."""
    token = decision.held
    unasked = not (call.args.if_missing or call.args.if_expiring)
    if unasked or token is None or token.kind is not TokenKind.INDIVIDUAL:
        return decision
    found = Inquiry(call, store=store, service=service).result(token)
    known = found.token
    why = reason_to_issue(known, now=call.now, within=call.args.if_expiring)
    if not why:
        return Decision(held=known, needed=False, why="it was extended")
    ends = known.subscription_ends
    if known.state(now=call.now).usable and ends and found.outcome in SYNCED:
        return Decision(held=known, needed=False, why="a new one would end on the same day")
    return Decision(held=known, needed=True, why=why)

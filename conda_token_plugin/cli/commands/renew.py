"""Extend your token, or replace it if it cannot be extended.

Examples:
  conda token renew
  conda token renew acme
  conda token renew acme --reissue

First the token is compared with the service, as `conda token sync` does. If it can be
extended on the web page of your organization, the command opens that page and waits
until the token is extended. Otherwise you are asked whether to replace the token, which
revokes the old one on every machine. This command does not renew a subscription.
"""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

from conda_token_plugin.cli import issue_flow, login_flow
from conda_token_plugin.cli.options import refuse_unknown, several
from conda_token_plugin.errors.input import BadInput, NeedsAnswer
from conda_token_plugin.errors.outcome import NotConfirmed
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.operations.extend_token import (
    is_extended,
    needs_replacement,
    wait_until_extended,
)
from conda_token_plugin.operations.issue_policy import IssueConditions, IssuePolicy
from conda_token_plugin.operations.store_token import CondaOptions
from conda_token_plugin.operations.sync_tokens import TokenSync
from conda_token_plugin.tokens.display import capitalized, named, renewal
from conda_token_plugin.tokens.reconcile import SyncOutcome
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.issue_policy import IssuePlan
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.reconcile import SyncResult
    from conda_token_plugin.tokens.token import Token


def configure(parser: ArgumentParser) -> None:
    """Add the organization and the option that replaces without asking."""
    parser.add_argument(
        "organization",
        nargs="?",
        metavar="ORG",
        help="the organization (default: the only one with a token)",
    )
    parser.add_argument("-o", "--org", metavar="ORG", help="the same as the argument")
    parser.add_argument(
        "--reissue",
        action="store_true",
        help="replace the token without asking if it cannot be extended",
    )


def run(call: CommandContext) -> int:
    """Compare the token with the service; if it is not extended, ask whether to replace it.

    Raises:
        NoToken: No token is stored for the organization.
        BadInput: A site token has to be replaced, which only an administrator can do.
        NeedsAnswer: A replacement needs confirmation, and `--yes` alone is not that.
    """
    store = call.store()
    before = _chosen(call, store=store)
    individual = before.kind is TokenKind.INDIVIDUAL
    service = login_flow.service(call) if individual else None
    found, page = _compared(call, before, store=store, service=service)
    if not needs_replacement(found.token, before=before, now=call.now):
        return _opened(call, found, before=before, page=page)
    if service is None:
        if found.token.state(now=call.now).usable:
            return _opened(call, found, before=before, page="")
        raise BadInput(
            f"{capitalized(named(before))} is a site token, which only an administrator can "
            "replace.",
            hint=f"Ask for a new one, then run: conda token {renewal(before)}",
        )
    return _replaced(call, found.token, store=store, service=service)


def _chosen(call: CommandContext, *, store: Store) -> Token:
    """Return the stored token that is named, or the only one."""
    held = store.tokens()
    name = call.args.organization or call.args.org
    known = {token.organization for token in held}
    refuse_unknown(filter(None, [name]), known=known)
    if len(known) > 1 and name is None:
        raise several(known, hint="Name one: conda token renew ORG")
    if not held:
        raise NoToken("No token is stored.", hint="Run: conda token install")
    return next(token for token in held if name in (None, token.organization))


def _compared(
    call: CommandContext, token: Token, *, store: Store, service: Service | None
) -> tuple[SyncResult, str]:
    """Compare the token with the service. At a terminal, open the page that extends it and wait.

    Returns:
        The result, and the address of the page if the token can still be extended there.
    """
    sync = TokenSync(
        store, settings=call.settings, clock=call.clock, notice=call.printer.say, service=service
    )
    with call.printer.waiting("Comparing with the service"):
        found = sync.result(token)
    if found.outcome is not SyncOutcome.EXTENDABLE:
        return found, ""
    page = sync.page(token.organization)
    if call.prompts.interactive and not call.printer.json:
        call.printer.say(f"Extend the token at {page} (Token Access, Sync token).")
        webbrowser.open(page)
        with call.printer.waiting("Waiting until the token is extended; Ctrl-C cancels"):
            (found,) = wait_until_extended(sync, [found])
    return found, page if found.outcome is SyncOutcome.EXTENDABLE else ""


def _replaced(call: CommandContext, token: Token, *, store: Store, service: Service) -> int:
    """Ask unless ``--reissue`` was given, then replace the token."""
    policy = IssuePolicy(
        store=store,
        settings=call.settings,
        clock=call.clock,
        notice=call.printer.say,
        service=lambda: service,
    )
    plan = policy.plan(token.organization, conditions=IssueConditions(reissue=call.args.reissue))
    if not call.args.reissue and not _agreed(call, token, plan=plan):
        return NotConfirmed.exit_code
    return issue_flow.issue_and_report(
        call, plan, options=CondaOptions(), service=service, store=store
    )


def _agreed(call: CommandContext, token: Token, *, plan: IssuePlan) -> bool:
    question = f"Replace {named(token)} by a new one?"
    if call.args.yes or not call.prompts.interactive:
        raise NeedsAnswer(question, flag="--reissue")
    if plan.needs_confirmation:
        return issue_flow.ask_to_replace(call, plan)
    call.prompts.confirm(question)
    return True


def _opened(call: CommandContext, found: SyncResult, *, before: Token, page: str) -> int:
    token, ends = found.token, found.token.subscription_ends
    extended = is_extended(token, before=before)
    until = issue_flow.expiry_sentence(token, now=call.now)
    verb = "Extended" if extended else "Kept"
    call.printer.say(f"{verb} {named(token)}. {until}")
    if page and ends:
        call.printer.say(
            f"Its subscription lasts until {ends:%Y-%m-%d}: extend the token at {page} (Token "
            "Access, Sync token)."
        )
    elif ends and not extended and token.kind is TokenKind.INDIVIDUAL:
        call.printer.say(
            "A new one would expire with the same subscription. To replace it anyway, run: "
            f"conda token reissue {token.organization}"
        )
    call.printer.data(
        {"organization": token.organization, "action": "extended" if extended else "kept"}
    )
    return 0

"""Confirm a planned replacement, issue the token, and report it, for `install` and `renew`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli.conda_channels import needs_defaults, report_channels
from conda_token_plugin.errors.input import HeldElsewhere
from conda_token_plugin.errors.outcome import NotConfirmed
from conda_token_plugin.operations.issue_policy import IssueAction
from conda_token_plugin.operations.issue_token import issue
from conda_token_plugin.operations.set_up_provider import preceding
from conda_token_plugin.tokens.display import STORED_IN, channels, command_line, expiry, last_four
from conda_token_plugin.tokens.repository_layout import organization_prefix
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from datetime import datetime

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.issue_policy import IssuePlan
    from conda_token_plugin.operations.store_token import CondaOptions, StoredToken
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token

NO_CHANNEL = "Not verified: none of its channels is known. Run: conda token test URL"


def ask_to_replace(call: CommandContext, plan: IssuePlan) -> bool:
    """Show what the plan revokes, and return whether the user agrees.

    Raises:
        HeldElsewhere: The token is held elsewhere, and there is no terminal to ask on.
        NeedsAnswer: The token is held here, and there is no terminal to ask on.
        Interrupted: Ctrl-C.
    """
    current = plan.current
    assert current is not None  # only a replacement needs confirmation
    asks = call.prompts.interactive and not call.args.yes
    # --yes alone does not revoke the token of another machine.
    if not plan.stored_here and not asks:
        raise HeldElsewhere(plan.organization, id=current.id, expires=current.expires)
    until = f"valid until {current.expires:%Y-%m-%d}" if current.expires else "expiry unknown"
    where = "stored on this machine" if plan.stored_here else "not stored on this machine"
    call.printer.say(
        f"You have a token of {plan.organization} already: {current.id}, {until}, {where}. "
        "A new one revokes it at once, on every machine that uses it."
    )
    if not plan.stored_here:
        call.printer.say(HeldElsewhere(plan.organization, id=current.id, expires=None).hint)
    try:
        call.prompts.confirm(f"Replace token {current.id} of {plan.organization}?")
    except NotConfirmed:
        call.printer.say(f"Kept token {current.id} of {plan.organization}.")
        call.printer.data({"action": IssueAction.KEEP.value, "why": "replacing was not confirmed"})
        return False
    return True


def issue_and_report(
    call: CommandContext, plan: IssuePlan, *, options: CondaOptions, service: Service, store: Store
) -> int:
    """Issue the token, report it, and raise if it could not be verified.

    The user may be asked about `defaults`.

    Raises:
        TokenRefused, ServiceError: The token is stored and could not be verified.
    """
    defaults = needs_defaults(call, wanted=options.default_channels)
    with call.printer.waiting(f"Issuing a token of {plan.organization}"):
        stored = issue(
            plan,
            options=options._replace(add_defaults=defaults),
            service=service,
            store=store,
            settings=call.settings,
            clock=call.clock,
        )
    token = stored.token
    verb = f"Replaced {plan.current.id} by" if plan.current else "Issued"
    report_stored(
        call,
        stored,
        line=f"{verb} a token {last_four(token)} for {token.organization}, "
        f"stored {STORED_IN[stored.vault]}.",
    )
    if stored.fault is not None:
        raise stored.fault
    print_action(call, token, source=stored.vault, action=plan.action, why=plan.why)
    return 0


def print_action(
    call: CommandContext, token: Token, *, source: str, action: IssueAction, why: str
) -> None:
    """Print the document of ``--json``: the token, what was done, and why."""
    call.printer.data({**call.entry(token, source=source), "action": action.value, "why": why})


def expiry_sentence(token: Token, *, now: datetime) -> str:
    """Return when the token expires, as a sentence."""
    return f"It expires {expiry(token, now=now)}." if token.expires else "Its expiry is not known."


def report_stored(
    call: CommandContext,
    stored: StoredToken,
    *,
    line: str,
    readers: str = "",
    unverified: str = NO_CHANNEL,
) -> None:
    """Report a token that was stored, its exported copies, its providers, and conda's channels.

    ``line`` says what was done, ``readers`` who can read the store of the machine, and
    ``unverified`` why there is no result of a verification.
    """
    token = stored.token
    unset = token.kind is TokenKind.SITE and token.expires is None
    call.print_notices()
    call.printer.say(line)
    if readers:
        call.printer.say(f"Readers:  {readers}")
    call.printer.say(f"Channels: {channels(token.scope)}")
    until = expiry(token, now=call.now)
    call.printer.say(f"Expires:  {until}{' (set it with --expires DATE)' if unset else ''}")
    if stored.verification is not None:
        call.printer.say(stored.verification.sentence)
    elif stored.fault is None:
        call.printer.say(unverified)
    call.report_copies(stored.copies)
    if (fault := stored.copies_fault) is not None:
        call.printer.warn(f"Exported copies may still contain the previous token: {fault}")
    for provider in preceding(token, store=call.store()):
        option = "--system " if call.system else ""
        call.printer.warn(
            f"The provider {provider.name} has precedence over this token, which is not sent to "
            f"{provider.scope}. To use the token: conda token provider remove {option}"
            f"{provider.name}"
        )
    report_without_channels(call)
    if stored.fault is None:
        _suggest_command(call, stored)
    report_channels(call, [token])


def report_without_channels(call: CommandContext) -> None:
    """Name each organization whose channels are all in the scope of other tokens now."""
    held = call.store().tokens()
    used = {token.organization for token in held if token.scope}
    option = ("--system",) if call.system else ()
    for name in dict.fromkeys(token.organization for token in held):
        if name not in used:
            command = command_line("remove", *option, name)
            call.printer.say(f"{name} has no channel left. To remove its token: {command}")


def _suggest_command(call: CommandContext, stored: StoredToken) -> None:
    """Print a command that uses the token, with a channel of its organization."""
    token, found = stored.token, stored.verification
    if found is not None and found.own:
        channel = found.url.rsplit("/", 2)[0]
    elif token.organization and call.settings.repo_url in token.scope[0]:
        channel = f"{organization_prefix(call.settings.repo_url, token.organization)}/CHANNEL"
    else:
        return
    call.printer.say(f"Try: conda install -c {channel} PACKAGE")

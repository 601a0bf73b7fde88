"""Issue a token for your organization, or store one that you were given, and use it in conda.

Examples:
  conda token install
  conda token install acme
  conda token install --org acme --if-expiring 14d
  conda token install --site --org acme --token-stdin < token.txt

Issuing a token revokes your current token of the organization on every machine. You are
shown that token, and asked before it is replaced. This command does not change
~/.condarc, and never prints the token.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from conda_token_plugin.cli import given_token, issue_flow, login_flow
from conda_token_plugin.cli.conda_channels import needs_defaults, report_channels
from conda_token_plugin.cli.options import add_store, organization, span
from conda_token_plugin.errors.input import Supplied
from conda_token_plugin.errors.outcome import NotConfirmed
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.issue_journal import interrupted
from conda_token_plugin.operations.issue_policy import IssueAction, IssueConditions, IssuePolicy
from conda_token_plugin.operations.store_given_token import configure_supplied
from conda_token_plugin.operations.store_token import CondaOptions
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.store.sources import supplied
from conda_token_plugin.tokens.display import channels, named
from conda_token_plugin.tokens.repository_layout import shared_prefixes
from conda_token_plugin.tokens.scope import normalised, without_credentials

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.issue_policy import IssuePlan
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.store import Store
    from conda_token_plugin.store.sources import Credential
    from conda_token_plugin.tokens.token import Token


def configure(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        *("-o", "--org"),
        type=organization,
        metavar="ORG",
        help="the organization; prompted for if you belong to several",
    )
    add_store(parser)
    when = parser.add_argument_group("for scripts").add_mutually_exclusive_group()
    when.add_argument("--if-missing", action="store_true", help="only if no usable token is stored")
    when.add_argument(
        "--if-expiring",
        type=span,
        metavar="SPAN",
        help="only if the stored token expires within SPAN, such as 14d",
    )
    when.add_argument(
        "--reissue", action="store_true", help="replace the current token without asking"
    )
    given_token.configure(parser, word="ORG")
    _configure_conda(parser)


def _configure_conda(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("configuration of conda")
    group.add_argument(
        "--add-channel",
        action="append",
        default=[],
        metavar="URL",
        help="add this channel before conda's other channels",
    )
    group.add_argument(
        "--set-default-channels",
        action="store_true",
        default=None,
        help="make main, r and msys2 of the repository conda's default channels",
    )
    group.add_argument(
        "--no-set-default-channels",
        action="store_false",
        dest="set_default_channels",
        help="do not change the default channels, and do not ask",
    )
    group.add_argument(
        "--shared",
        action="store_true",
        default=None,
        help="send this token to main, r and msys2 instead of another organization's",
    )


def run(call: CommandContext) -> int:
    """Choose the organization, plan, ask for confirmation, issue, report."""
    given_token.separate_organization(call)
    if given_token.is_given(call.args):
        return given_token.run(call, options=lambda: _options(call))
    store = call.store()
    service = cache(partial(login_flow.service, call))  # the user logs in once, if necessary
    name = call.args.org or _chosen(call, service=service())
    found = supplied(call.settings, organization=name)
    if found is not None:
        return _keep_supplied(call, name, found=found)
    policy = IssuePolicy(
        store=store,
        settings=call.settings,
        clock=call.clock,
        notice=call.printer.say,
        service=service,
    )
    conditions = IssueConditions(call.args.if_missing, call.args.if_expiring, call.args.reissue)
    plan = policy.plan(name, conditions=conditions, interrupted=_was_interrupted(name, store=store))
    if plan.action is IssueAction.KEEP:
        return _report_kept(call, plan, store=store)
    if plan.needs_confirmation and not issue_flow.ask_to_replace(call, plan):
        return NotConfirmed.exit_code
    if plan.unattended:
        call.printer.say(f"A token of {plan.organization} is issued: {plan.why}.")
    if call.prompts.interactive and plan.current is None and call.args.org:
        policy.check_membership(name)
    options = _options(call)
    return issue_flow.issue_and_report(call, plan, options=options, service=service(), store=store)


def _was_interrupted(name: str, *, store: Store) -> bool:
    """Return whether the journal has an interrupted issue, whose token was never stored."""
    return any(entry.organization == name for entry in interrupted(store.folder))


def _keep_supplied(call: CommandContext, name: str, *, found: Credential) -> int:
    """Issue nothing, because the environment supplies a token; configure channels if asked to."""
    if call.args.set_default_channels or call.args.add_channel:
        return _configured(call, found.token)
    if not call.args.if_missing:
        raise Supplied(name, source=found.source)
    why = f"{found.source} supplies it"
    call.printer.say(f"Kept the token of {name}: {why}.")
    issue_flow.print_action(
        call, found.token, source=found.source, action=IssueAction.KEEP, why=why
    )
    return 0


def _configured(call: CommandContext, token: Token) -> int:
    """Configure conda's channels for ``token``, which a variable supplies."""
    options, store = _options(call), call.store()
    defaults = needs_defaults(call, wanted=options.default_channels)
    options = options._replace(add_defaults=defaults)
    done = configure_supplied(token, options=options, store=store, condarc=call.condarc)
    urls = (*done.channels, *done.default_channels)
    call.printer.say(f"Set conda's channels: {', '.join(urls)}")
    report_channels(call, store.credentials())
    call.printer.data({**done.as_json(), "action": "configured"})
    return 0


def _report_kept(call: CommandContext, plan: IssuePlan, *, store: Store) -> int:
    """Report the token that is kept. Write the drop-in if it is missing."""
    token = plan.stored
    assert token is not None  # a plan keeps only what is stored
    update_dropin(call.condarc, store=store)
    call.printer.say(
        f"Kept {named(token)}: {plan.why}. {issue_flow.expiry_sentence(token, now=call.now)}"
    )
    vault = store.vault_of(token.key)
    issue_flow.print_action(call, token, source=vault, action=plan.action, why=plan.why)
    return 0


def _chosen(call: CommandContext, *, service: Service) -> str:
    """Return the user's only organization, or the one that the user chooses."""
    with call.printer.waiting("Reading your organizations"):
        choices = service.issuable()
    if len(choices) == 1:
        return choices[0].slug
    width = max(len(choice.slug) for choice in choices)
    number = call.prompts.choose(
        "For which organization?",
        options=[f"{choice.slug:<{width}}  {choice.title}" for choice in choices],
        flag="--org",
    )
    return choices[number].slug


def _options(call: CommandContext) -> CondaOptions:
    """Return what conda is to be configured with. May ask about default channels."""
    wanted = call.args.set_default_channels
    common = shared_prefixes(call.settings.repo_url)
    if wanted is None and call.prompts.offer(f"Make {channels(common)} conda's default channels?"):
        wanted = True
    added = tuple(normalised(without_credentials(url)) for url in call.args.add_channel)
    for url in (call.settings.repo_url, *added):
        dropin.refuse_unreadable(url)
    return CondaOptions(
        channels=added or None,
        default_channels=None if wanted is None else (common if wanted else ()),
        shared=True if wanted else call.args.shared,
    )

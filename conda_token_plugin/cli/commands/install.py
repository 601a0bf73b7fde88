"""Issue a token for your organization, or set one that you were given, and use it in conda.

Examples:
  conda token install
  conda token install --org acme --yes
  conda token install --org acme --if-expiring 14d
  conda token install --site --org acme --token-stdin < token.txt

Issuing again replaces your token of that organization everywhere: you are shown
what breaks and asked first. It does not touch ~/.condarc and never prints the token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli import given_token, login_flow
from conda_token_plugin.cli.options import organization, span
from conda_token_plugin.cli.output import entry
from conda_token_plugin.errors.input import Supplied
from conda_token_plugin.errors.service import NoChannel
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.issue_policy import by_metadata, by_service, held
from conda_token_plugin.operations.issue_token import CondaOptions, Desk, provable
from conda_token_plugin.store.lookup import supplied
from conda_token_plugin.tokens.display import KEPT_IN, channels, expiry, last_four
from conda_token_plugin.tokens.scope import normalised, shared_prefixes, without_secrets

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.operations.issue_policy import Decision
    from conda_token_plugin.operations.issue_token import Issued
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.models import CurrentToken
    from conda_token_plugin.store import Store
    from conda_token_plugin.store.lookup import Found
    from conda_token_plugin.tokens.token import Token


def configure(parser: ArgumentParser) -> None:
    """Say for whom, when, and what to configure."""
    parser.add_argument(
        *("-o", "--org"),
        type=organization,
        metavar="ORG",
        help="the organization; asked for if several",
    )
    parser.add_argument("--store", choices=("auto", "keyring", "file"), help="where to keep it")
    when = parser.add_argument_group("for scripts").add_mutually_exclusive_group()
    when.add_argument("--if-missing", action="store_true", help="only if none is stored that works")
    when.add_argument(
        "--if-expiring", type=span, metavar="SPAN", help="only if it expires within, say, 14d"
    )
    when.add_argument("--reissue", action="store_true", help="replace the current one, unasked")
    given_token.configure(parser)
    _configure_conda(parser)


def _configure_conda(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("what conda is told besides")
    group.add_argument(
        "--add-channel",
        action="append",
        default=[],
        metavar="URL",
        help="add this channel to conda's channels",
    )
    group.add_argument(
        "--set-default-channels",
        action="store_true",
        default=None,
        help="make main, r and msys2 of the repository its default channels",
    )
    group.add_argument(
        "--no-set-default-channels",
        action="store_false",
        dest="set_default_channels",
        help="leave the default channels alone, without asking",
    )
    group.add_argument(
        "--shared",
        action="store_true",
        default=None,
        help="use this token for main, r and msys2 even if another one is now",
    )


def run(call: CommandContext) -> int:
    """Choose, decide, ask, issue, keep, prove, report."""
    if given_token.was_handed(call.args):
        return given_token.run(call, wish=_wish(call))
    store = call.store()
    service: Service | None = None
    organization = call.args.org
    if not organization:
        service = login_flow.service(call, store=store)
        organization = _chosen(call, service=service)
    given = supplied(call.settings, organization=organization)
    if given is not None:
        return _left_alone(call, organization, given=given)
    decision = by_metadata(call, held(call, organization, store=store))
    if decision.needed:
        service = service or login_flow.service(call, store=store)
        decision = by_service(call, decision, service=service, store=store)
        if decision.needed:
            return _issue(call, organization, service=service, decision=decision)
    return _kept(call, decision, store=store)


def _left_alone(call: CommandContext, organization: str, *, given: Found) -> int:
    """Issue nothing: it would not be used, and may revoke the token that the environment supplies.

    Raises:
        Supplied: another one was asked for.
    """
    if not call.args.if_missing:
        raise Supplied(organization, source=given.source)
    why = f"{given.source} supplies it"
    call.printer.say(f"Kept the token of {organization}: {why}.")
    shown = entry(given.token, source=given.source, now=call.now)
    call.printer.data({**shown, "action": "kept", "why": why})
    return 0


def _kept(call: CommandContext, decision: Decision, *, store: Store) -> int:
    """Say that nothing had to be done, and why; conda is told of the token if it was not yet."""
    token = decision.held
    assert token is not None  # none is needed only where there is one
    dropin.write(call.condarc, tokens=store.tokens())
    call.printer.say(
        f"Kept the token {last_four(token)} of {token.organization}: {decision.why}. "
        f"It expires {expiry(token, now=call.now)}."
    )
    facts = {"action": "kept", "why": decision.why}
    call.printer.data({**entry(token, source=store.vault_of(token.key), now=call.now), **facts})
    return 0


def _issue(call: CommandContext, organization: str, *, service: Service, decision: Decision) -> int:
    store = call.store()
    current = service.current_token(organization)
    if current is not None and not (
        call.args.reissue or (call.args.if_expiring and decision.replaces(current))
    ):
        _agree(call, organization, current=current)
    if call.args.if_missing or call.args.if_expiring:
        call.printer.say(f"A token of {organization} is issued: {decision.why}.")
    desk = Desk(service=service, store=store, settings=call.settings, now=call.now)
    wish = _wish(call)
    with call.printer.waiting(f"Issuing a token of {organization}"):
        issued = desk.issue(organization, wish=wish)
    _report(call, issued, replaced=current)
    token = _proven(call, issued, store=store)
    action = {"action": "replaced" if current else "issued", "why": decision.why}
    shown = entry(token, source=issued.vault, now=call.now)
    call.printer.data({**shown, **action})
    return 0


def _chosen(call: CommandContext, *, service: Service) -> str:
    """The only organization, or the one that the user picks.

    Raises:
        NoOrganization: there is none. NeedsAnswer: several, and no terminal.
    """
    with call.printer.waiting("Asking for your organizations"):
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


def _agree(call: CommandContext, organization: str, *, current: CurrentToken) -> None:
    """Have the user agree to the death of the current token.

    Raises:
        NotConfirmed, NeedsAnswer, Interrupted: not agreed; nothing was changed.
    """
    until = f"{current.expires:%Y-%m-%d}" if current.expires else "an unknown date"
    call.printer.say(
        f"You have a token of {organization} already: {current.id}, good until {until}. "
        "A new one revokes it at once, on every machine that uses it."
    )
    call.prompts.confirm(f"Replace token {current.id} of {organization}?")


def _wish(call: CommandContext) -> CondaOptions:
    wanted = call.args.set_default_channels
    common = shared_prefixes(call.settings.repo_url)
    if wanted is None and call.prompts.offer(f"Make {channels(common)} conda's default channels?"):
        wanted = True
    added = tuple(normalised(without_secrets(url)) for url in call.args.add_channel)
    return CondaOptions(
        channels=added or None,
        default_channels=None if wanted is None else (common if wanted else ()),
        shared=True if wanted else call.args.shared,
    )


def _report(call: CommandContext, issued: Issued, *, replaced: CurrentToken | None) -> None:
    """Say what was done; the token is stored by now, so nothing can be lost by printing."""
    token = issued.token
    verb = f"Replaced {replaced.id} by" if replaced else "Issued"
    what = f"a token {last_four(token)} for {token.organization}"
    call.say_notices()
    for line in (
        f"{verb} {what}, kept {KEPT_IN[issued.vault]}.",
        f"Channels: {channels(token.scope)}",
        f"Expires:  {expiry(token, now=call.now)}",
    ):
        call.printer.say(line)


def _proven(call: CommandContext, issued: Issued, *, store: Store) -> Token:
    """Try the token where it will be used, and remember that it worked.

    Raises:
        TokenRefused, ServiceError: it did not; the token is stored all the same.
    """
    from conda_token_plugin.service.repository import prove

    where = provable(issued.token, settings=call.settings)
    try:
        with call.printer.waiting("Trying the token"):
            proof = prove(where, token=issued.token, secret=issued.secret)
    except NoChannel:  # a repository without the shared channels, and no channel was named
        call.printer.say("Not proven yet: name one of its channels, conda token test URL")
        return issued.token
    token = issued.token._replace(proven=call.now)
    store.update(token)
    call.printer.say(f"Proven:   {proof.what} of {proof.url}")
    return token

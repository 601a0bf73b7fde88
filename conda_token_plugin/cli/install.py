"""Issue a token for your organization, keep it, and have conda send it to its channels.

Examples:
  conda token install
  conda token install --org acme --yes

Issuing again replaces your token of that organization everywhere: you are shown
what breaks and asked first. It does not log you in to the website, does not touch
~/.condarc, and never prints the token.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conda_token_plugin.channels import normalised, shared_prefixes, without_secrets
from conda_token_plugin.cli.list import entry
from conda_token_plugin.cli.wording import channels, expiry, last_four
from conda_token_plugin.issuing import Desk, Wish
from conda_token_plugin.lookup import Holding

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.call import Call
    from conda_token_plugin.issuing import Issued
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.models import CurrentToken
    from conda_token_plugin.store import Store


def configure(parser: ArgumentParser) -> None:
    """Say for whom, and what to configure."""
    parser.add_argument("-o", "--org", metavar="ORG", help="the organization; asked for if several")
    parser.add_argument(
        "--channel",
        "-c",
        action="append",
        default=[],
        metavar="URL",
        help="add this channel to conda's channels",
    )
    parser.add_argument(
        "--set-default-channels",
        action="store_true",
        default=None,
        help="make main, r and msys2 of the repository conda's default channels",
    )
    parser.add_argument(
        "--no-set-default-channels",
        action="store_false",
        dest="set_default_channels",
        help="leave the default channels alone, without asking",
    )
    parser.add_argument(
        "--shared",
        action="store_true",
        default=None,
        help="use this token for main, r and msys2, also if another token does now",
    )
    parser.add_argument("--store", choices=("auto", "keyring", "file"), help="where to keep it")


def run(call: Call) -> int:
    """Choose, ask, issue, keep, prove, report."""
    store = call.store()
    service = _service(call, store=store)
    organization = call.args.org or _chosen(call, service=service)
    current = service.current_token(organization)
    if current is not None:
        _agree(call, organization, current=current)
    desk = Desk(service=service, store=store, environment=call.environment, now=call.now)
    issued = desk.issue(organization, wish=_wish(call))
    _report(call, issued, replaced=current, notices=store.notices)
    _prove(call, issued, store=store)
    return 0


def _service(call: Call, *, store: Store) -> Service:
    from conda_token_plugin.service.client import Service
    from conda_token_plugin.service.credentials import find_api_key

    api_key, source = find_api_key(call.environment, store)
    return Service(call.environment.service_url, api_key=api_key, source=source)


def _chosen(call: Call, *, service: Service) -> str:
    """The only organization, or the one that the user picks.

    Raises:
        NoOrganization: there is none. NeedsAnswer: several, and no terminal.
    """
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


def _agree(call: Call, organization: str, *, current: CurrentToken) -> None:
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


def _wish(call: Call) -> Wish:
    wanted = call.args.set_default_channels
    common = shared_prefixes(call.environment.repo_url)
    if wanted is None and call.prompts.offer(f"Make {channels(common)} conda's default channels?"):
        wanted = True
    added = tuple(normalised(without_secrets(url)) for url in call.args.channel)
    return Wish(
        channels=added or None,
        default_channels=None if wanted is None else (common if wanted else ()),
        shared=True if wanted else call.args.shared,
    )


def _report(
    call: Call, issued: Issued, *, replaced: CurrentToken | None, notices: list[str]
) -> None:
    """Say what was done; the token is stored by now, so nothing can be lost by printing."""
    token = issued.token
    verb = f"Replaced {replaced.id} by" if replaced else "Issued"
    for line in (
        *notices,
        f"{verb} a token {last_four(token)} for {token.organization}, kept in the {issued.vault}.",
        f"Channels: {channels(token.scope)}",
        f"Expires:  {expiry(token, now=call.now)}",
    ):
        call.printer.say(line)


def _prove(call: Call, issued: Issued, *, store: Store) -> None:
    """Try the token where it will be used, and remember that it worked.

    Raises:
        TokenRefused, ServiceError: it did not; the token is stored all the same.
    """
    from conda_token_plugin.errors import NoChannel
    from conda_token_plugin.service.repository import prove

    token = issued.token
    try:
        proof = prove(token.channels or token.scope, token=token, secret=issued.secret)
    except NoChannel:  # the shared channels are another token's, and no channel was named
        call.printer.say("Not proven yet: name one of its channels, conda token test URL")
    else:
        token = replace(token, proven=call.now)
        store.update(token)
        call.printer.say(f"Proven:   {proof.what} of {proof.url}")
    call.printer.data(entry(Holding(token=token, source=issued.vault), now=call.now))

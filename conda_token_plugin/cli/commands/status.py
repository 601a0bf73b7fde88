"""Show each token with its source, scope and expiry, and whether it works now.

Examples:
  conda token status
  conda token status acme --offline
  conda token status --fail-within 14d --quiet

The beginning of a package is downloaded with each token. With --offline no request is
made. Nothing is changed except the stored time at which a token last worked.

Exit code 1: a token is refused or has expired, no token is stored, or a token expires
within the time of --fail-within.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from conda_token_plugin.cli.options import (
    add_organizations,
    named_organizations,
    refuse_unknown,
    span,
)
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.service import NoChannel, TokenRefused
from conda_token_plugin.operations.channel_settings import entry_for, is_asked, unrequestable
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.store import USER
from conda_token_plugin.store.sources import all_credentials
from conda_token_plugin.tokens.display import channels_of, expiry, last_four, next_step

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store.sources import Credential
    from conda_token_plugin.tokens.token import Token

_ANY = "-"
"""A channel that no other token covers, because no channel has this name."""
OFFLINE = "not checked"


class TokenStatus(NamedTuple):
    """A token and the result of its check."""

    held: Credential
    works: bool | None
    """None if it was not checked, or the check showed nothing."""
    words: str
    """The result as text."""
    service: str | None
    """The address of the service whose repository the token is for; None for another server."""
    not_asked: str
    """A URL in its scope that conda requests without this plugin; "" if there is none."""
    too_short: bool
    """Whether it expires within `--fail-within`."""
    passes: bool
    """Whether it is usable, and for the time of ``--fail-within``."""


def configure(parser: ArgumentParser) -> None:
    """Add the organizations and the options."""
    add_organizations(parser, default="all")
    parser.add_argument("--offline", action="store_true", help="make no request")
    parser.add_argument(
        "--fail-within",
        type=span,
        metavar="SPAN",
        help="fail if a token expires within SPAN, such as 14d",
    )


def run(call: CommandContext) -> int:
    """Check each token and print a block for each. Return 1 if one of them does not pass."""
    checked = [_checked(call, item) for item in _chosen(call)]
    call.printer.data(
        [_value(call, one) for one in checked],
        text="\n\n".join("\n".join(_block(call, one)) for one in checked),
        wrap=True,
    )
    if not checked:
        call.printer.say("No token is stored. Run: conda token install")
    failed = [one for one in checked if not one.passes]
    for one in failed:
        # The exit code needs a reason, which the first line of a block on a terminal gives.
        if one.too_short and (call.printer.quiet or not call.printer.out.isatty()):
            call.printer.warn(_reason(call, one))
    return 0 if checked and not failed else 1


def _chosen(call: CommandContext) -> tuple[Credential, ...]:
    """Return the tokens to check."""
    held = all_credentials(call.settings, stores=call.stores())
    names = named_organizations(call.args)
    refuse_unknown(names, known={item.token.organization for item in held})
    return tuple(item for item in held if not names or item.token.organization in names)


def _checked(call: CommandContext, item: Credential) -> TokenStatus:
    works, words, held = _verified(call, item)
    token, within = held.token, call.args.fail_within
    # The check is newer than the stored metadata, so it has precedence.
    usable = token.state(now=call.now).usable if works is None else works
    left = token.left(now=call.now)
    too_short = within is not None and left is not None and left < within
    return TokenStatus(
        held,
        works,
        words,
        service=_service(call, token),
        not_asked=_not_asked(call, token),
        too_short=too_short,
        passes=usable and not too_short,
    )


def _service(call: CommandContext, token: Token) -> str | None:
    for site in call.settings.sites():
        if any(f"{prefix}/".startswith(site.repo_url) for prefix in token.scope):
            return site.service_url
    return None


def _not_asked(call: CommandContext, token: Token) -> str:
    for prefix in token.scope:
        url = f"{prefix}/{_ANY}/noarch/repodata.json"
        if unrequestable(prefix) or not is_asked(url, settings=call.settings):
            return prefix
    return ""


def _verified(call: CommandContext, item: Credential) -> tuple[bool | None, str, Credential]:
    """Return whether the token works, the same in words, and the token with the result."""
    if call.args.offline or item.secret is None:
        return None, OFFLINE, item
    where = places(item.token, settings=call.settings)
    try:
        with call.printer.waiting(f"Verifying the token of {item.token.organization}"):
            found = verify(where, token=item.token, secret=item.secret(), outcome="")
    except TokenRefused as error:
        return False, error.what, item
    except NoChannel:
        return None, "not checked: none of its channels is known. Run: conda token test URL", item
    except TokenPluginError as error:  # no network, a fault, a locked keyring
        return None, f"could not be checked: {error.what}", item
    if not found.verified:
        return None, f"not checked completely. {found.sentence}", item
    return True, f"works (downloaded {found.what} from {found.url})", _stored(call, item)


def _stored(call: CommandContext, item: Credential) -> Credential:
    """Store that the token works now, if it is from the user's store, and return it."""
    token = item.token._replace(verified=call.now)
    store = call.stores()[USER]
    if store.token(token.key) == item.token:
        store.update(token)
    return item._replace(metadata=lambda: token)


def _verdict(call: CommandContext, one: TokenStatus) -> str:
    """Return the first line: a sign, the organization, the token, and the state in words."""
    token = one.held.token
    head = f"{token.organization}  {last_four(token)}"
    state = token.state(now=call.now)
    until = f", expires {expiry(token, now=call.now)}" if token.expires else ""
    if one.works is False or (one.works is None and not state.usable):
        refused = "refused" if one.works is False else state.value
        return f"✗ {head}  {refused}. {_next_step(call, one)}"
    if one.too_short:
        return f"! {_reason(call, one)}"
    works = "works" if one.works else "not verified"
    return f"{'✓' if one.works else '?'} {head}  {works}{until}"


def _reason(call: CommandContext, one: TokenStatus) -> str:
    """Return why a token fails ``--fail-within``, and the next command."""
    token = one.held.token
    return (
        f"{token.organization}  {last_four(token)}  expires {expiry(token, now=call.now)}, "
        f"within {call.args.fail_within.days} days. {_next_step(call, one)}"
    )


def _next_step(call: CommandContext, one: TokenStatus) -> str:
    step = next_step(one.held.token, source=one.held.source)
    return step.replace("conda token ", f"{call.prog} ")  # this is data, and not a message


def _block(call: CommandContext, one: TokenStatus) -> list[str]:
    token = one.held.token
    ends = token.subscription_ends
    facts = {
        "kind": token.kind.value,
        "source": one.held.source,
        "service": one.service or "",
        "channels": channels_of(token, repository=call.settings.repo_url),
        "issued": f"{token.issued:%Y-%m-%d}" if token.issued else "",
        "expires": expiry(token, now=call.now) if token.expires else "",
        "subscription": f"until {ends:%Y-%m-%d}" if ends else "",
        "checked": f"{token.checked:%Y-%m-%d}" if token.checked else "",
        "now": one.words,
        "conda": _not_asked_text(one.not_asked),
    }
    known = (f"  {name:<13} {value}" for name, value in facts.items() if value)
    return [_verdict(call, one), *known]


def _not_asked_text(url: str) -> str:
    if not url:
        return ""
    return unrequestable(url) or f"does not ask this plugin for {url}. {entry_for(url)}"


def _value(call: CommandContext, one: TokenStatus) -> dict[str, Any]:
    shown = call.entry(one.held.token, source=one.held.source)
    return {
        **shown,
        "service": one.service,
        "works": one.works,
        "check": one.words,
        "passes": one.passes,
        "asked_by_conda": not one.not_asked,
    }

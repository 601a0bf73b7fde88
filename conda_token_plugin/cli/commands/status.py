"""Show each token with its source, scope and expiry, and whether it works right now.

Examples:
  conda token status
  conda token status acme --offline
  conda token status --fail-within 14d --quiet

The live check asks the repository for a package with the token; --offline leaves it
out. Nothing is changed but the note of when a token last worked. Exit code 1: a token
is refused or over, there is none, or with --fail-within one has less time left than that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli.options import span
from conda_token_plugin.cli.output import entry
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.service import NoChannel, TokenRefused
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.operations.issue_token import provable
from conda_token_plugin.store.holdings import holdings
from conda_token_plugin.store.lookup import USER
from conda_token_plugin.tokens.display import channels_of, expiry, last_four

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from datetime import timedelta

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store.holdings import Holding

OFFLINE = "not checked"


@dataclass(frozen=True, slots=True)
class Checked:
    """A token and its live check; ``works`` is None where it was not possible or not wanted."""

    holding: Holding
    works: bool | None
    words: str


def configure(parser: ArgumentParser) -> None:
    """Take the organization, and what is a failure."""
    parser.add_argument("organization", nargs="?", metavar="ORG", help="whose token; default: all")
    parser.add_argument("-o", "--org", dest="org", metavar="ORG", help="the same as an option")
    parser.add_argument("--offline", action="store_true", help="make no request")
    parser.add_argument(
        "--fail-within", type=span, metavar="SPAN", help="fail if one has less left than, say, 14d"
    )


def run(call: CommandContext) -> int:
    """Check each token, print a block each; 1 if one of them does not do."""
    checked = [_checked(call, item) for item in _chosen(call)]
    call.printer.data(
        [_value(call, one) for one in checked],
        text="\n\n".join("\n".join(_block(call, one)) for one in checked),
    )
    if not checked:
        call.printer.say("No token is stored. Run: conda token install")
    does = [_does(call, one, within=call.args.fail_within) for one in checked]
    return 0 if does and all(does) else 1


def _chosen(call: CommandContext) -> tuple[Holding, ...]:
    """The tokens that are asked about.

    Raises:
        NoToken: the organization that is named has none.
    """
    held = holdings(call.settings, stores=call.stores())
    name = call.args.organization or call.args.org
    chosen = tuple(item for item in held if name in (None, item.token.organization))
    if name and not chosen:
        raise NoToken.for_organization(name, known={item.token.organization for item in held})
    return chosen


def _checked(call: CommandContext, item: Holding) -> Checked:
    if call.args.offline or item.secret is None:
        return Checked(item, None, OFFLINE)
    from conda_token_plugin.service.repository import prove

    where = provable(item.token, settings=call.settings)
    try:
        with call.printer.waiting(f"Trying the token of {item.token.organization}"):
            proof = prove(where, token=item.token, secret=item.secret(), outcome="")
    except TokenRefused as error:
        return Checked(item, works=False, words=error.what)
    except NoChannel:  # its channels are not known: `conda token test URL` can try one
        return Checked(item, None, "not checked: none of its channels is known")
    except TokenPluginError as error:  # no network, a fault, a locked keyring
        return Checked(item, None, f"could not be checked: {error.what}")
    if proof.public:
        return Checked(item, None, f"not checked: {proof.url} is open to everybody")
    return Checked(_noted(call, item), works=True, words=f"works ({proof.what} of {proof.url})")


def _noted(call: CommandContext, item: Holding) -> Holding:
    """``item`` with the note that it works, which the user's store keeps if it is from there."""
    token = item.token._replace(proven=call.now)
    store = call.stores()[USER]
    if store.token(token.key) == item.token:
        store.update(token)
    return item._replace(token=token)


def _does(call: CommandContext, one: Checked, *, within: timedelta | None) -> bool:
    token = one.holding.token
    left = token.left(now=call.now)
    soon = within is not None and left is not None and left < within
    # What the repository says now counts more than what was known of the token before.
    usable = token.state(now=call.now).usable if one.works is None else one.works
    return usable and not soon


def _block(call: CommandContext, one: Checked) -> list[str]:
    token = one.holding.token
    ends = token.subscription_ends
    facts = {
        "source": one.holding.source,
        "channels": channels_of(token, repository=call.settings.repo_url),
        "issued": f"{token.issued:%Y-%m-%d}" if token.issued else "unknown",
        "expires": expiry(token, now=call.now),
        "subscription": f"until {ends:%Y-%m-%d}" if ends else "unknown",
        "asked": f"{token.checked:%Y-%m-%d}" if token.checked else "never",
        "now": one.words,
    }
    head = f"{token.organization}  {token.kind.value} token {last_four(token)}"
    return [head, *(f"  {name:<13} {value}" for name, value in facts.items())]


def _value(call: CommandContext, one: Checked) -> dict[str, Any]:
    return {
        **entry(one.holding.token, source=one.holding.source, now=call.now),
        "works": one.works,
        "check": one.words,
    }

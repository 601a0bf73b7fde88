"""Extend your token, or replace it if it cannot be extended.

Examples:
  conda token renew
  conda token renew acme
  conda token renew acme --reissue

First the token is compared with the service, as `conda token sync` does. If it can be
extended on the web page of your organization, that page is opened and waited for.
Otherwise you are asked whether to replace it: that revokes the old token on every
machine. It does not renew a subscription.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.cli.context import CommandContext
from conda_token_plugin.cli.output import Printer
from conda_token_plugin.cli.parser import parsed, runner
from conda_token_plugin.errors.input import BadInput, NeedsAnswer
from conda_token_plugin.errors.store import NoToken
from conda_token_plugin.tokens.display import expiry, last_four

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from conda_token_plugin.tokens.token import Token


def configure(parser: ArgumentParser) -> None:
    """Add the organization and the option that replaces without asking."""
    parser.add_argument(
        "organization", nargs="?", metavar="ORG", help="default: the only one with a stored token"
    )
    parser.add_argument("-o", "--org", metavar="ORG", help="the same as an option")
    parser.add_argument(
        "--reissue", action="store_true", help="replace it without asking if it cannot be extended"
    )


def run(call: CommandContext) -> int:
    """Sync the token; if that extends nothing, ask whether to replace it.

    Raises:
        NoToken: No token is stored for the organization.
        NeedsAnswer: A replacement needs confirmation, and `--yes` alone is not that.
    """
    before = _chosen(call)
    organization = before.organization
    wait = ("--web", "--wait") if call.prompts.interactive and not call.printer.json else ()
    _run(call, "sync", organization, *wait)
    after = call.store().token(before.key) or before
    extended = after.expires is not None and after.expires != before.expires
    if after.state(now=call.now).usable and (extended or after.subscription_ends):
        return _kept(call, after, extended=extended)
    if not call.args.reissue:
        question = f"Replace the token {last_four(before)} of {organization} on every machine?"
        if call.args.yes or not call.prompts.interactive:
            raise NeedsAnswer(question, flag="--reissue")
        call.prompts.confirm(question)
    return _run(call, "install", "--org", organization, "--reissue", json=call.printer.json)


def _chosen(call: CommandContext) -> Token:
    """Return the stored token that is named, or the only one.

    Raises:
        NoToken: There is none.
        BadInput: There are several and none is named.
    """
    held = call.store().tokens()
    name = call.args.organization or call.args.org
    named = [token for token in held if name in (None, token.organization)]
    names = sorted({token.organization for token in held})
    if not named:
        raise (
            NoToken.for_organization(name, known=names)
            if name
            else NoToken("No token is stored.", hint="Run: conda token install")
        )
    if name is None and len(names) > 1:
        raise BadInput(
            f"Several organizations have a stored token: {', '.join(names)}.",
            hint="Name one: conda token renew ORG",
        )
    return named[0]


def _kept(call: CommandContext, token: Token, *, extended: bool) -> int:
    until = expiry(token, now=call.now)
    call.printer.say(
        f"Extended the token of {token.organization}: it expires {until}."
        if extended
        else f"Kept the token of {token.organization}: it expires {until}, and a new one would "
        "expire with the same subscription. To replace it anyway: conda token reissue"
    )
    call.printer.data(
        {"organization": token.organization, "action": "extended" if extended else "kept"}
    )
    return 0


def _run(call: CommandContext, *words: str, json: bool = False) -> int:
    """Run another command; unless `json`, its result goes to stderr with `--json`."""
    out = call.printer.err if call.printer.json and not json else call.printer.out
    flags = [*(["--json"] if json else []), *(["--quiet"] if call.printer.quiet else [])]
    printer = Printer(prog=call.prog, json=json, quiet=call.printer.quiet, out=out)
    args = parsed([*words, *flags], prog=call.prog)
    return runner(args.verb)(CommandContext.of(args, printer=printer, prog=call.prog))

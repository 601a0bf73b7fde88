"""Compare the stored tokens with the service, and update their stored metadata.

Examples:
  conda token sync
  conda token sync acme --web --wait

The renewal of a subscription does not extend a token: the token must be synchronized on
the web page of your organization, which --web opens. With the service account of an
administrator, in ANACONDA_SERVICE_ACCOUNT_ID and ANACONDA_SERVICE_ACCOUNT_SECRET, this
command extends the tokens of all members that expire before the subscription does. An
organization that you name need not have a stored token then. No token is issued or
revoked, and you are not logged in. Exported copies that still contain a previous token
are replaced.

Exit code 1: a token is revoked, or its subscription is cancelled or has ended.
"""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli.options import add_organizations, named_organizations, refuse_unknown
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.login import LoginError
from conda_token_plugin.errors.organization import ExtensionRefused
from conda_token_plugin.errors.service import ServiceError
from conda_token_plugin.errors.store import StoreError
from conda_token_plugin.operations.exported_copies import refresh_copies
from conda_token_plugin.operations.extend_token import wait_until_extended
from conda_token_plugin.operations.sync_tokens import TokenSync
from conda_token_plugin.tokens.display import expiry, last_four, named
from conda_token_plugin.tokens.reconcile import SyncOutcome, SyncResult
from conda_token_plugin.tokens.token import TokenKind

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable

    from conda_token_plugin.cli.context import CommandContext
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token

RENEW = "the subscription must be renewed. Then run: conda token"
NEXT = {
    SyncOutcome.REVOKED: "the token is revoked. Run: conda token install --org {organization}",
    SyncOutcome.REISSUED: "another token was issued, and revoked this one. To issue one here, "
    "which revokes that one, run: conda token install --org {organization}",
    SyncOutcome.CANCELLED: f"{RENEW} install --org {{organization}}",
    SyncOutcome.ENDED: f"{RENEW} install --org {{organization}}",
    SyncOutcome.GRACE: f"{RENEW} sync {{organization}}",
}
"""What the user can do about a result."""


def configure(parser: ArgumentParser) -> None:
    """Add the organizations and the options."""
    add_organizations(parser, default="all")
    parser.add_argument("-a", "--all", action="store_true", help="all stored tokens (default)")
    parser.add_argument(
        "--web", action="store_true", help="open the web page on which a token is extended"
    )
    parser.add_argument(
        "--wait", action="store_true", help="wait until the token is extended there"
    )


def run(call: CommandContext) -> int:
    """Compare each token, extend it or wait for that where possible, and report.

    Raises:
        OrganizationError, ServiceError: Nothing can be reported for the named organizations.
    """
    store = call.store()
    sync = TokenSync(store, settings=call.settings, clock=call.clock, notice=call.printer.say)
    tokens = _chosen(call, store=store, sync=sync)
    with call.printer.waiting("Comparing with the service"):
        results = [_result(sync, token) for token in tokens]
        of_members, failures = _of_members(call, tokens, sync=sync)
    if failures and not (results or of_members):
        raise failures[0]
    extendable = [result for result in results if result.outcome is SyncOutcome.EXTENDABLE]
    _point_to_page(call, extendable, sync=sync)
    if extendable and call.args.wait:
        moved = {result.token.key: result for result in wait_until_extended(sync, extendable)}
        results = [moved.get(result.token.key, result) for result in results]
    _report(call, [*results, *of_members])
    failures += _refreshed(call, results, store=store)
    for failure in failures:
        call.printer.warn(str(failure))
    codes = [_exit_code(result) for result in (*results, *of_members)]
    return max((*codes, *(failure.exit_code for failure in failures)), default=0)


def _chosen(call: CommandContext, *, store: Store, sync: TokenSync) -> tuple[Token, ...]:
    """Return the stored tokens of the named organizations, or all."""
    names, held = named_organizations(call.args), store.tokens()
    if names and not sync.is_administrator:
        refuse_unknown(names, known={token.organization for token in held})
    if not held and not names:
        call.printer.say(
            "No token is stored. Run: conda token sync ORG"
            if sync.is_administrator
            else "No token is stored. Run: conda token install"
        )
    chosen = [token for token in held if not names or token.organization in names]
    return tuple(token for token in chosen if _is_of_this_site(call, token))


def _of_members(
    call: CommandContext, tokens: Iterable[Token], *, sync: TokenSync
) -> tuple[list[SyncResult], list[TokenPluginError]]:
    """Extend the tokens of the organizations' members, if there is a service account.

    The organizations are the named ones, otherwise those of ``tokens`` on this site, which the
    service account need not be able to see.

    Returns:
        The results, and the failures for whole organizations.
    """
    if not sync.is_administrator:
        return [], []
    results, failures = list[SyncResult](), list[TokenPluginError]()
    names = named_organizations(call.args)
    repository = call.settings.repo_url
    here = [t.organization for t in tokens if any(p.startswith(repository) for p in t.scope)]
    for organization in dict.fromkeys(names or here):
        try:
            found = sync.of_members(organization)
            results += found
            if not found:
                call.printer.say(f"No other member of {organization} has a token.")
        except ServiceError as error:  # noqa: PERF203  # the next organization may work
            failures.append(error)
        except ExtensionRefused as error:
            if names:
                failures.append(error)
            else:
                call.printer.say(
                    f"The service account cannot see the members of {organization}, so only the "
                    "stored token was compared."
                )
    return results, failures


def _refreshed(
    call: CommandContext, results: Iterable[SyncResult], *, store: Store
) -> list[TokenPluginError]:
    """Replace previous tokens in exported copies by the tokens that work, and report it.

    Return the failures to read a token or the record of exports.
    """
    failures = list[TokenPluginError]()
    for result in results:
        if result.works:
            try:
                copies = refresh_copies(result.token, store=store, settings=call.settings)
            except StoreError as error:  # a locked keyring, a damaged record
                failures.append(error)
            else:
                call.report_copies(copies)
    return failures


def _is_of_this_site(call: CommandContext, token: Token) -> bool:
    """Return whether the chosen site's service knows ``token``; say so if it does not.

    Another service would say that there is no such token, and it would be stored as revoked.
    """
    site = call.settings.site
    inside = any(prefix.startswith(site.repo_url) for prefix in token.scope)
    if inside or token.kind is not TokenKind.INDIVIDUAL:
        return True
    call.printer.say(
        f"Skipped {named(token)}: it does not belong to the site {site.name}. To choose another "
        "site, use --at SITE (conda token sites)."
    )
    return False


def _result(sync: TokenSync, token: Token) -> SyncResult:
    """Compare ``token``. An error for one token does not prevent the others' comparison."""
    try:
        return sync.result(token)
    except LoginError:
        raise
    except TokenPluginError as error:  # the service, the repository or the keyring failed
        return SyncResult(token=token, error=error)


def _point_to_page(
    call: CommandContext, extendable: Iterable[SyncResult], *, sync: TokenSync
) -> None:
    for result in extendable:
        organization = result.token.organization
        page = sync.page(organization)
        call.printer.say(f"Extend the token of {organization} at {page} (Token Access, Sync token)")
        if call.args.web:
            webbrowser.open(page)


def _report(call: CommandContext, results: list[SyncResult]) -> None:
    with_member = any(result.member for result in results)
    call.printer.table(
        [_row(call, result, with_member=with_member) for result in results],
        value=[_value(call, result) for result in results],
    )
    for result in results:
        if result.error is not None:
            owner = f"{result.token.organization}, {result.member}".rstrip(", ")
            call.printer.warn(f"{owner}: {result.error}")
        elif result.outcome in NEXT:
            step = NEXT[result.outcome].format(organization=result.token.organization)
            call.printer.say(f"{result.token.organization}: {step}")


def _row(call: CommandContext, result: SyncResult, *, with_member: bool) -> dict[str, str]:
    ends = result.token.subscription_ends
    return {
        "organization": result.token.organization,
        **({"member": result.member or "-"} if with_member else {}),
        "token": last_four(result.token),
        "result": result.word,
        "expires": expiry(result.token, now=call.now),
        "subscription ends": f"{ends:%Y-%m-%d}" if ends else "unknown",
    }


def _value(call: CommandContext, result: SyncResult) -> dict[str, Any]:
    left = result.token.left(now=call.now)
    return {
        **result.token.as_json(),
        "member": result.member or None,
        "result": result.word,
        "state": result.token.state(now=call.now).value,
        "days_left": None if left is None else left.days,
        "error": str(result.error) if result.error else None,
    }


def _exit_code(result: SyncResult) -> int:
    return result.error.exit_code if result.error else int(not result.works)

"""The health checks of ``conda doctor`` for tokens, and for the files that contain them.

Each check yields problems, some of which can be fixed. conda is not imported here; its settings
are passed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import product
from stat import S_IMODE
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.gateways.files import WINDOWS
from conda_token_plugin.integrations.conda import content_trust, dropin
from conda_token_plugin.operations.channel_settings import not_asked, unrequestable
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.store import USER, stores_of
from conda_token_plugin.store.sources import all_credentials
from conda_token_plugin.tokens import display
from conda_token_plugin.tokens.token import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token

PRIVATE = 0o600
REPORTED_STATES = (State.EXPIRED, State.EXPIRING, State.GRACE, State.CANCELLED, State.REVOKED)
OTHER_TOOLS = ("anaconda-auth", "anaconda-client", "netrc")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, and the function that corrects it, if there is one."""

    what: str
    fix: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What the checks examine."""

    settings: Settings
    prefix: Path
    now: datetime
    channel_settings: Sequence[Mapping[str, str]] = ()
    """The merged ``channel_settings`` of conda, in order."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Maps the channel of an entry to the file that contains the entry."""

    @property
    def store(self) -> Store:
        """Return the user's store."""
        return stores_of(self.settings)[USER]

    @property
    def credentials(self) -> tuple[Token, ...]:
        """The metadata of every token, provider and API key."""
        held = all_credentials(self.settings, stores=stores_of(self.settings))
        return tuple(one.token for one in held)


class Check(NamedTuple):
    """A health check."""

    problems: Callable[[CheckContext], Iterator[Problem]]
    """Yields what is wrong."""
    passed: str
    """What is true if nothing is wrong."""


def problems(check: str, context: CheckContext) -> list[Problem]:
    """Run one check, and return the problems that it found."""
    try:
        return list(CHECKS[check].problems(context))
    except TokenPluginError as error:  # a damaged store or a locked keyring
        return [Problem(str(error))]


def report(check: str, found: Sequence[Problem]) -> str:
    """Return the result of a check in the format of conda's own checks."""
    if not found:
        return f"✅ {CHECKS[check].passed}\n"
    lines = [f"  - {one.what}" for one in found]
    return "\n".join([f"❌ {check}:", "", *lines, ""])


def expiry(context: CheckContext) -> Iterator[Problem]:
    """Yield credentials that have expired or are revoked, or that expire soon."""
    for one in all_credentials(context.settings, stores=stores_of(context.settings)):
        token = one.token
        state = token.state(now=context.now)
        if state in REPORTED_STATES:
            yield Problem(
                f"{display.capitalized(display.named(token))} is {state.value}: "
                f"{display.expiry(token, now=context.now)}. "
                f"{display.next_step(token, source=one.source)}"
            )


def modes(context: CheckContext) -> Iterator[Problem]:
    """Yield files that other users can read. The store repairs its own files when it reads them."""
    from conda_token_plugin.operations.audit.places import credential_files

    store = context.store
    store.tokens()
    yield from (Problem(notice) for notice in store.notices)
    for path in credential_files(context.settings):
        mode = _mode(path)
        if mode & ~PRIVATE:
            what = f"{path} has mode {mode:04o}: others can read the tokens in it."
            yield Problem(what, partial(path.chmod, PRIVATE))


def _mode(path: Path) -> int:
    if WINDOWS:  # access is controlled by access lists, and the mode is always 0666
        return PRIVATE
    try:
        return S_IMODE(path.stat().st_mode)
    except OSError:  # a dangling link, or deleted meanwhile
        return PRIVATE


def leaks(context: CheckContext) -> Iterator[Problem]:
    """Yield tokens in condarc files, and in the records and the history of this environment."""
    from conda_token_plugin.integrations.conda.condarcs import files
    from conda_token_plugin.operations.audit import fix as audit_fix
    from conda_token_plugin.operations.audit.patterns import Known
    from conda_token_plugin.operations.audit.places import AuditPlace, PlaceKind, installed
    from conda_token_plugin.operations.audit.scan import findings

    store = context.store
    known = Known(
        (store.secret(token.key).reveal(), token.organization)
        for token in store.tokens()
        if store.vault_of(token.key) == "file"  # so that no keyring asks its user
    )
    places = [
        *(AuditPlace(path, PlaceKind.SETTING) for path in files(context.settings)),
        *(AuditPlace(path, PlaceKind.RECORD) for path in installed(context.prefix)),
    ]
    there = [place for place in places if place.path.is_file()]
    for one in findings(there, known=known, fault=lambda _: None):
        fixable = audit_fix.replacement(one) is not None
        advice = "" if fixable else f": {audit_fix.advice(one)}"
        fix = partial(audit_fix.fix, one.path, [one]) if fixable else None
        shown = f" …{one.last_four}" if one.last_four else ""
        yield Problem(f"{one.where} has a token{shown} in plain text{advice}.", fix)


def handler(context: CheckContext) -> Iterator[Problem]:
    """Yield channels that conda requests without this plugin, and a drop-in that is outdated."""
    yield from _unreadable(context)
    store, path = context.store, context.settings.condarc
    if dropin.planned(path, tokens=store.credentials()) != dropin.content(path):
        fix = partial(update_dropin, path, store=store)
        yield Problem(f"{path} does not match the stored tokens.", fix)
        return
    owners = {p: token.organization for token in context.credentials for p in token.scope}
    prefixes = sorted(owners)
    signer = content_trust.signer_in(dropin.content(path))
    if fault := content_trust.signer_without_token(signer, prefixes=prefixes):
        yield Problem(fault)
    for prefix in prefixes:
        if fault := unrequestable(prefix):
            yield Problem(f"{fault} Run: {display.command_line('remove', owners[prefix])}")
            continue
        what = not_asked(prefix, entries=context.channel_settings, origins=context.origins)
        if what is not None:
            yield Problem(what)


def _unreadable(context: CheckContext) -> Iterator[Problem]:
    """Yield entries of any file that make every request of conda fail."""
    for entry in context.channel_settings:
        channel = entry.get("channel", "")
        try:
            dropin.refuse_unreadable(channel)
        except BadInput as error:
            origin = context.origins.get(channel, "A configuration file")
            yield Problem(f"{origin}: {error}")


def providers(context: CheckContext) -> Iterator[Problem]:
    """Yield providers whose program cannot be run. Run none of them."""
    from shutil import which

    for store in stores_of(context.settings).values():
        for one in store.providers():
            if which(one.command[0]) is None:
                yield Problem(
                    f"The provider {one.name} for {one.scope} cannot be run: {one.command[0]} is "
                    f"not a program. Run: conda token provider remove {one.name}"
                )


def conflicts(context: CheckContext) -> Iterator[Problem]:
    """Yield tokens of other tools that differ from the stored token for the same channels."""
    from conda_token_plugin.integrations.registry import SOURCES
    from conda_token_plugin.integrations.source import collected

    tools = [SOURCES[name] for name in OTHER_TOOLS]
    # A file that is damaged, and a keyring that is locked, are not reported by this check.
    offers = collected(tools, settings=context.settings, fault=lambda _: None, strict=False)
    for offer, token in product(offers, context.store.tokens()):
        if offer.secret.last_four != token.last_four and offer.overlaps(token.scope):
            name = offer.sources[0]
            yield Problem(
                f"{offer.where[0]} ({name}) has another token …{offer.secret.last_four} "
                f"for channels of {token.organization}. conda sends the stored token "
                f"…{token.last_four}. To import or to remove it, run: conda token import {name}"
            )


def unused_entries(context: CheckContext) -> Iterator[Problem]:
    """Yield the plugin's entries in the system keyring that no store uses."""
    from conda_token_plugin.store.vaults import delete_leftover, leftover_entries

    try:
        found = leftover_entries(context.store.entries())
    except KeyringUnusable:  # absent or locked
        return
    for entry in found:
        fix = partial(delete_leftover, entry)
        yield Problem(f"The keyring has an entry that no store uses: {entry}", fix)


CHECKS = {
    "token-expiry": Check(expiry, "No token has expired or expires soon."),
    "token-files": Check(modes, "No file with tokens can be read by others."),
    "token-leaks": Check(
        leaks, "No condarc file, and no record of this environment, contains a token."
    ),
    "token-handler": Check(handler, "conda asks this plugin about every channel that has a token."),
    "token-conflicts": Check(
        conflicts, "No other tool stores another token for the same channels."
    ),
    "token-keyring": Check(unused_entries, "The system keyring has no unused entry."),
    "token-providers": Check(providers, "Every program that supplies a credential can be run."),
}

"""The health checks of ``conda doctor`` for tokens, and for the files that hold them.

Each check yields problems, some of which can be fixed. conda is not imported here; its settings
are passed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import partial
from stat import S_IMODE
from typing import TYPE_CHECKING, Any

from conda_token_plugin import HANDLER
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.input import BadInput, ConfigurationError
from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.integrations.conda import dropin
from conda_token_plugin.operations.channel_settings import entry_for
from conda_token_plugin.operations.update_dropin import update_dropin
from conda_token_plugin.store.lookup import USER, all_credentials, stores_of
from conda_token_plugin.tokens.display import named, renewal
from conda_token_plugin.tokens.scope import longest_prefix
from conda_token_plugin.tokens.token import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from conda_token_plugin.integrations.source import FoundCredential
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token

PRIVATE = 0o600
REPORTED_STATES = (State.EXPIRED, State.EXPIRING, State.GRACE, State.CANCELLED, State.REVOKED)
FOREIGN_FILES = (
    ".anaconda/keyring",
    ".mamba/auth/authentication.json",
    ".rattler/credentials.json",
    ".config/binstar/*.token",
    ".continuum/anaconda-client/tokens/*.token",
    ".netrc",
)
"""Files below the home folder in which other tools store tokens, some with mode 0644."""
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


def problems(check: str, context: CheckContext) -> list[Problem]:
    """Run one check, and return the problems that it found."""
    try:
        return list(CHECKS[check](context))
    except TokenPluginError as error:  # a damaged store or a locked keyring
        return [Problem(str(error))]


def report(check: str, found: Sequence[Problem]) -> str:
    """Return the result of a check in the format of conda's own checks."""
    if not found:
        return f"✅ {PASSED[check]}\n"
    lines = [f"  - {one.what}" for one in found]
    return "\n".join([f"❌ {check}:", "", *lines, ""])


def expiry(context: CheckContext) -> Iterator[Problem]:
    """Yield credentials that have expired or are revoked, or that expire soon."""
    from conda_token_plugin.tokens.display import expiry as words

    for token in context.credentials:
        state = token.state(now=context.now)
        if state in REPORTED_STATES:
            yield Problem(
                f"T{named(token)[1:]} is {state.value}: {words(token, now=context.now)}. "
                f"Run: conda token {renewal(token)}"
            )


def modes(context: CheckContext) -> Iterator[Problem]:
    """Yield files that other users can read. The store repairs its own files when it reads them."""
    store = context.store
    store.tokens()
    yield from (Problem(notice) for notice in store.notices)
    home = context.settings.home
    for path in (path for name in FOREIGN_FILES for path in home.glob(name)):
        mode = _mode(path)
        if mode & ~PRIVATE:
            what = f"{path} has mode {mode:04o}: others can read the tokens in it."
            yield Problem(what, partial(path.chmod, PRIVATE))


def _mode(path: Path) -> int:
    from conda_token_plugin.gateways.files import WINDOWS

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
    from conda_token_plugin.operations.audit.places import AuditPlace, PlaceKind
    from conda_token_plugin.operations.audit.scan import findings

    records = context.prefix / "conda-meta"
    places = [
        *(AuditPlace(path, PlaceKind.SETTING) for path in files(context.settings)),
        *(
            AuditPlace(path, PlaceKind.RECORD)
            for path in (records / "history", *records.glob("*.json"))
        ),
    ]
    there = [place for place in places if place.path.is_file()]
    for one in findings(there, known=_known(context), fault=lambda _: None):
        fixable = audit_fix.replacement(one) is not None
        advice = "" if fixable else f": {audit_fix.advice(one)}"
        fix = partial(audit_fix.fix, one.path, [one]) if fixable else None
        shown = f" …{one.last_four}" if one.last_four else ""
        yield Problem(f"{one.where} has a token{shown} in plain text{advice}.", fix)


def handler(context: CheckContext) -> Iterator[Problem]:
    """Yield channels that conda requests without this plugin, and a drop-in that is outdated."""
    store, path = context.store, context.settings.condarc
    tokens = store.credentials()
    defaults = dropin.adds_defaults(path)
    wanted = dropin.composed(tokens, signed_by=dropin.signer(path), defaults=defaults)
    if wanted != dropin.content(path):
        fix = partial(update_dropin, path, store=store)
        yield Problem(f"{path} does not agree with the stored tokens.", fix)
        return
    yield from _unreadable(context)
    prefixes = sorted({prefix for token in context.credentials for prefix in token.scope})
    if fault := dropin.signer_without_token(dropin.signer(path), prefixes=prefixes):
        yield Problem(fault)
    for prefix in prefixes:
        winner = chosen(f"{prefix}/noarch/repodata.json", context.channel_settings)
        if winner.get("auth") != HANDLER:
            yield Problem(_not_asked(prefix, winner, origins=context.origins))


def _not_asked(prefix: str, entry: Mapping[str, str], *, origins: Mapping[str, str]) -> str:
    """Return the sentence about a prefix for which conda uses ``entry``, which may be empty."""
    if not entry:
        return f"conda does not ask this plugin for {prefix}. {entry_for(prefix)}"
    channel = entry.get("channel", "")
    origin = origins.get(channel, "another file")
    return f"For {prefix} conda asks the handler {entry.get('auth')}, by {origin}: {channel}"


def _unreadable(context: CheckContext) -> Iterator[Problem]:
    """Yield entries of any file that make every request of conda fail."""
    for entry in context.channel_settings:
        channel = entry.get("channel", "")
        try:
            dropin.refuse_unreadable(channel)
        except BadInput as error:
            origin = context.origins.get(channel, "A configuration file")
            yield Problem(f"{origin}: {error}")


def chosen(url: str, settings: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    """Return the entry by which conda chooses a handler for ``url``: the last match."""
    fitting = [one for one in settings if fnmatch(url, one.get("channel", ""))]
    return fitting[-1] if fitting else {}


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

    tokens = context.store.tokens()
    for name in OTHER_TOOLS:
        for offer in _offers(name, context.settings):
            for token in tokens:
                if offer.secret.last_four != token.last_four and _overlap(offer.scope, token.scope):
                    yield Problem(
                        f"{offer.where[0]} ({name}) has another token …{offer.secret.last_four} "
                        f"for channels of {token.organization}. conda sends the stored token "
                        f"…{token.last_four}. "
                        f"To import or to remove it, run: conda token import {SOURCES[name].name}"
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


def _known(context: CheckContext) -> Any:
    """Return the stored values to search for; only those in files, so that no keyring prompts."""
    from conda_token_plugin.operations.audit.patterns import Known

    store = context.store
    return Known(
        (store.secret(token.key).reveal(), token.organization)
        for token in store.tokens()
        if store.vault_of(token.key) == "file"
    )


def _offers(name: str, settings: Settings) -> Iterator[FoundCredential]:
    from conda_token_plugin.integrations.registry import SOURCES

    try:
        yield from SOURCES[name].offers(settings)
    except (ConfigurationError, KeyringUnusable):  # damaged or locked; not reported by this check
        return


def _overlap(some: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether there is a URL that both scopes cover."""
    return any(longest_prefix(f"{one}/", among=others) for one in some) or any(
        longest_prefix(f"{one}/", among=some) for one in others
    )


CHECKS: Mapping[str, Callable[[CheckContext], Iterator[Problem]]] = {
    "token-expiry": expiry,
    "token-files": modes,
    "token-leaks": leaks,
    "token-handler": handler,
    "token-conflicts": conflicts,
    "token-keyring": unused_entries,
    "token-providers": providers,
}
PASSED = {
    "token-expiry": "No token has expired or expires soon.",
    "token-files": "No file with tokens can be read by others.",
    "token-leaks": "No condarc file, and no record of this environment, contains a token.",
    "token-handler": "conda asks this plugin about every channel that has a token.",
    "token-conflicts": "No other tool stores another token for the same channels.",
    "token-keyring": "The system keyring has no unused entry.",
    "token-providers": "Every program that supplies a credential can be run.",
}

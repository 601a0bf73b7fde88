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
from conda_token_plugin.store.lookup import USER, holdings, stores_of
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
WORRYING = (State.EXPIRED, State.EXPIRING, State.GRACE, State.CANCELLED, State.REVOKED)
FOREIGN = (
    ".anaconda/keyring",
    ".mamba/auth/authentication.json",
    ".rattler/credentials.json",
    ".config/binstar/*.token",
    ".continuum/anaconda-client/tokens/*.token",
    ".netrc",
)
"""Files below the home folder in which other tools store tokens, some with mode 0644."""
RIVALS = ("anaconda-auth", "anaconda-client", "netrc")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong; calling ``remedy``, if it is set, fixes it."""

    what: str
    remedy: Callable[[], object] | None = None


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
    def tokens(self) -> tuple[Token, ...]:
        """Return every token: supplied, stored, and of the machine."""
        held = holdings(self.settings, stores=stores_of(self.settings))
        return tuple(one.token for one in held)


def complaints(check: str, patient: CheckContext) -> list[Problem]:
    """Return what one check found."""
    try:
        return list(CHECKS[check](patient))
    except TokenPluginError as error:  # a damaged store or a locked keyring is a problem, too
        return [Problem(str(error))]


def report(check: str, found: Sequence[Problem]) -> str:
    """Return the text in the format of conda's own checks."""
    if not found:
        return f"✅ {WELL[check]}\n"
    lines = [f"  - {one.what}" for one in found]
    return "\n".join([f"❌ {check}:", "", *lines, ""])


def expiry(patient: CheckContext) -> Iterator[Problem]:
    """Yield tokens that do not work any more, or will soon expire."""
    from conda_token_plugin.tokens.display import expiry as words

    for token in patient.tokens:
        state = token.state(now=patient.now)
        if state in WORRYING:
            yield Problem(
                f"The token …{token.last_four} of {token.organization} is {state.value}: "
                f"{words(token, now=patient.now)}. Run: conda token sync {token.organization}"
            )


def modes(patient: CheckContext) -> Iterator[Problem]:
    """Yield files that other users can read. The store repairs its own files when it reads them."""
    store = patient.store
    store.tokens()
    yield from (Problem(notice) for notice in store.notices)
    home = patient.settings.home
    for path in (path for name in FOREIGN for path in home.glob(name)):
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


def leaks(patient: CheckContext) -> Iterator[Problem]:
    """Yield tokens in condarc files, and in the records and the history of this environment."""
    from conda_token_plugin.integrations.conda.condarcs import files
    from conda_token_plugin.operations.audit import fix
    from conda_token_plugin.operations.audit.places import AuditPlace, PlaceKind
    from conda_token_plugin.operations.audit.scan import findings

    records = patient.prefix / "conda-meta"
    places = [
        *(AuditPlace(path, PlaceKind.SETTING) for path in files(patient.settings)),
        *(
            AuditPlace(path, PlaceKind.RECORD)
            for path in (records / "history", *records.glob("*.json"))
        ),
    ]
    there = [place for place in places if place.path.is_file()]
    for one in findings(there, known=_known(patient), fault=lambda _: None):
        mendable = fix.replacement(one) is not None
        advice = "" if mendable else f": {fix.advice(one)}"
        remedy = partial(fix.fix, one.path, [one]) if mendable else None
        shown = f" …{one.last_four}" if one.last_four else ""
        yield Problem(f"{one.where} has a token{shown} in plain text{advice}.", remedy)


def handler(patient: CheckContext) -> Iterator[Problem]:
    """Yield channels for which conda would ask another handler, and an outdated drop-in."""
    store, path = patient.store, patient.settings.condarc
    tokens = store.credentials()
    wanted = dropin.composed(tokens, signed_by=dropin.signer(path))
    if wanted != (path.read_text("utf-8", "replace") if path.is_file() else ""):
        remedy = partial(dropin.write, path, tokens=tokens)
        yield Problem(f"{path} does not agree with the stored tokens.", remedy)
        return
    yield from _unreadable(patient)
    held = (*tokens, *patient.tokens)  # also those that variables supply, and the machine's
    prefixes = sorted({prefix for token in held for prefix in token.scope})
    if fault := dropin.signer_without_token(dropin.signer(path), tokens=tokens):
        yield Problem(fault)
    for prefix in prefixes:
        winner = chosen(f"{prefix}/main/noarch/repodata.json", patient.channel_settings)
        if not winner:
            yield Problem(f"conda does not ask this plugin for {prefix}. {entry_for(prefix)}")
        elif winner.get("auth") != HANDLER:
            name, channel = winner.get("auth") or "none", winner.get("channel", "")
            origin = patient.origins.get(channel, "another file")
            yield Problem(f"For {prefix} conda asks the handler {name}, by {origin}: {channel}")


def _unreadable(patient: CheckContext) -> Iterator[Problem]:
    """Yield entries of any file that make every request of conda fail."""
    for entry in patient.channel_settings:
        channel = entry.get("channel", "")
        try:
            dropin.refuse_unreadable(channel)
        except BadInput as error:
            origin = patient.origins.get(channel, "A configuration file")
            yield Problem(f"{origin}: {error}")


def chosen(url: str, settings: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    """Return the entry by which conda chooses a handler for ``url``: the last match."""
    fitting = [one for one in settings if fnmatch(url, one.get("channel", ""))]
    return fitting[-1] if fitting else {}


def rivals(patient: CheckContext) -> Iterator[Problem]:
    """Yield other tokens that other tools would send to the same channels."""
    from conda_token_plugin.integrations.registry import SOURCES

    tokens = patient.store.tokens()
    for name in RIVALS:
        for offer in _offers(name, patient.settings):
            for token in tokens:
                if offer.secret.last_four != token.last_four and _meet(offer.scope, token.scope):
                    yield Problem(
                        f"{offer.where[0]} ({name}) has another token …{offer.secret.last_four} "
                        f"for channels of {token.organization}; ours, …{token.last_four}, is sent. "
                        f"To import or to remove it, run: conda token import {SOURCES[name].name}"
                    )


def orphans(patient: CheckContext) -> Iterator[Problem]:
    """Entries in the system's keyring that no store names."""
    from conda_token_plugin.store.vaults import delete_leftover, leftover_entries

    try:
        found = leftover_entries(patient.store.entries())
    except KeyringUnusable:  # there is none here, or it is locked: nothing can be said
        return
    for entry in found:
        remedy = partial(delete_leftover, entry)
        yield Problem(f"The keyring has an entry that no store here names: {entry}", remedy)


def _known(patient: CheckContext) -> Any:
    """Return the stored values to search for; only those in files, so that no keyring prompts."""
    from conda_token_plugin.operations.audit.patterns import Known

    store = patient.store
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


def _meet(some: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether there is a URL that both scopes cover."""
    return any(longest_prefix(f"{one}/", among=others) for one in some) or any(
        longest_prefix(f"{one}/", among=some) for one in others
    )


CHECKS: Mapping[str, Callable[[CheckContext], Iterator[Problem]]] = {
    "token-expiry": expiry,
    "token-files": modes,
    "token-leaks": leaks,
    "token-handler": handler,
    "token-rivals": rivals,
    "token-keyring": orphans,
}
WELL = {
    "token-expiry": "No token has expired, and none is about to.",
    "token-files": "No file with tokens can be read by others.",
    "token-leaks": "No condarc file, and no record of this environment, contains a token.",
    "token-handler": "conda asks this plugin about every channel that has a token.",
    "token-rivals": "No other tool stores another token for the same channels.",
    "token-keyring": "The system keyring has no unused entry.",
}

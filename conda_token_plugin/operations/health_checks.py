"""What ``conda doctor`` looks at: is all well with the tokens, and with what is around them?

Each check yields complaints, and a complaint may know its remedy. conda is not imported here;
what it is configured with is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import partial
from stat import S_IMODE
from typing import TYPE_CHECKING, Any

from conda_token_plugin import HANDLER
from conda_token_plugin.errors import TokenPluginError
from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.integrations.conda import dropin
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
"""Files below the home that other tools keep tokens in, some of them with mode 0644."""
RIVALS = ("anaconda-auth", "anaconda-client", "netrc")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not well; ``remedy`` mends it, where that can be done here."""

    what: str
    remedy: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What is looked at."""

    settings: Settings
    prefix: Path
    now: datetime
    channel_settings: Sequence[Mapping[str, str]] = ()
    """conda's ``channel_settings``, merged, in order."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """From an entry's channel to the file that it is from."""

    @property
    def store(self) -> Store:
        """The user's store."""
        return stores_of(self.settings)[USER]

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token there is, wherever it is from."""
        held = holdings(self.settings, stores=stores_of(self.settings))
        return tuple(one.token for one in held)


def complaints(check: str, patient: CheckContext) -> list[Problem]:
    """What is not well by one check."""
    try:
        return list(CHECKS[check](patient))
    except TokenPluginError as error:  # a corrupt store, a locked keyring: that is not well either
        return [Problem(str(error))]


def report(check: str, found: Sequence[Problem]) -> str:
    """In the form that conda's own checks have."""
    if not found:
        return f"✅ {WELL[check]}\n"
    lines = [f"  - {one.what}" for one in found]
    return "\n".join([f"❌ {check}:", "", *lines, ""])


def expiry(patient: CheckContext) -> Iterator[Problem]:
    """Tokens that are dead or about to be."""
    from conda_token_plugin.tokens.display import expiry as words

    for token in patient.tokens:
        state = token.state(now=patient.now)
        if state in WORRYING:
            yield Problem(
                f"The token …{token.last_four} of {token.organization} is {state.value}: "
                f"{words(token, now=patient.now)}. Run: conda token sync {token.organization}"
            )


def modes(patient: CheckContext) -> Iterator[Problem]:
    """Files with tokens that others can read; those of our own are mended as they are read."""
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

    if WINDOWS:  # access lists decide there, and each file seems to be everybody's
        return PRIVATE
    try:
        return S_IMODE(path.stat().st_mode)
    except OSError:  # a link to what is not there, or the file has just gone
        return PRIVATE


def leaks(patient: CheckContext) -> Iterator[Problem]:
    """Tokens in plain text: in a condarc, in records of this environment, in its history."""
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
    """Channels of ours for which conda asks another handler; a drop-in that is not up to date."""
    store, path = patient.store, patient.settings.condarc
    tokens = store.tokens()
    wanted = dropin.composed(tokens, signed_by=dropin.signer(path))
    if wanted != (path.read_text("utf-8", "replace") if path.is_file() else ""):
        remedy = partial(dropin.write, path, tokens=tokens)
        yield Problem(f"{path} does not fit the stored tokens.", remedy)
        return
    for prefix in sorted({prefix for token in tokens for prefix in token.scope}):
        winner = chosen(f"{prefix}/noarch/repodata.json", patient.channel_settings)
        if winner.get("auth") != HANDLER:
            name, channel = winner.get("auth") or "none", winner.get("channel", "")
            origin = patient.origins.get(channel, "another file")
            yield Problem(f"For {prefix} conda asks the handler {name}, by {origin}: {channel}")


def chosen(url: str, settings: Sequence[Mapping[str, str]]) -> Mapping[str, str]:
    """The entry by which conda chooses a handler for ``url``: the last that fits."""
    fitting = [one for one in settings if fnmatch(url, one.get("channel", ""))]
    return fitting[-1] if fitting else {}


def rivals(patient: CheckContext) -> Iterator[Problem]:
    """Other tokens for channels of ours, that other tools would send there."""
    from conda_token_plugin.integrations.registry import SOURCES

    tokens = patient.store.tokens()
    for name in RIVALS:
        for offer in _offers(name, patient.settings):
            for token in tokens:
                if offer.secret.last_four != token.last_four and _meet(offer.scope, token.scope):
                    yield Problem(
                        f"{offer.where[0]} ({name}) has another token …{offer.secret.last_four} "
                        f"for channels of {token.organization}; ours, …{token.last_four}, is sent. "
                        f"To take it in or away, run: conda token import {SOURCES[name].name}"
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
    """Stored values to look for; only those that are in files, so that no keyring asks."""
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
    except (ConfigurationError, KeyringUnusable):  # damaged, or locked: theirs to mend
        return


def _meet(some: Sequence[str], others: Sequence[str]) -> bool:
    """Whether there is a URL that both scopes cover."""
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
    "token-leaks": "No token lies in a condarc or in this environment's records.",
    "token-handler": "conda asks for the tokens of every channel that has one.",
    "token-rivals": "No other tool has other tokens for the same channels.",
    "token-keyring": "The system's keyring has no entry that was left behind.",
}

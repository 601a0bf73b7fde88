"""Import the tokens of other tools: assign an organization, verify, clean.

Cleaning removes the plain-text copies from the files of the other tools. Each file is backed up
first, in the store's folder, where only the user can read it. The backup contains the secret, so
the user is told to delete it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.errors.service import NoChannel, ServiceError, TokenRefused
from conda_token_plugin.errors.store import StoreError
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.locks import UNCHANGED
from conda_token_plugin.integrations.source import in_repository
from conda_token_plugin.operations.export_record import ExportRecord
from conda_token_plugin.operations.store_token import scope_of
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.tokens.display import channels, last_four, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.gateways.clock import Clock
    from conda_token_plugin.integrations.source import FoundCredential, PlainTextCopy
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store
    from conda_token_plugin.tokens.token import Token

OUTCOME = "It was not imported."


class ImportVerdict(Enum):
    """What is known about a token that was found."""

    WORKS = "works"
    REFUSED = "rejected"
    UNKNOWN = "not verified: no response"
    UNVERIFIED = "not verified"
    STORED = "already stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A credential as it would be stored, and what is known about it.

    Attributes:
        error: Why the token was rejected or could not be verified.
        wide: Whether the scope is the whole repository, because the owner is not known.
    """

    token: Token
    offer: FoundCredential
    verdict: ImportVerdict = ImportVerdict.UNVERIFIED
    error: TokenPluginError | None = None
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A file that a copy was removed from, and the backup of the file as it was before."""

    path: Path
    backup: Path


def candidate(offer: FoundCredential, *, owner: str, store: Store, settings: Settings) -> Candidate:
    """Return ``offer`` as a token of its own organization, or of ``owner`` if it names none.

    A token of the repository without a known owner keeps the scope that it had, and is stored
    under the name of its host.
    """
    token = offer.token
    organization, scope = token.organization or owner, token.scope
    if organization and all(in_repository(prefix, settings) for prefix in scope):
        own = scope_of(organization, store=store, settings=settings, shared=None)
        scope = tuple(dict.fromkeys((*own, *_beyond(own[0], scope, settings=settings))))
    host = scope[0].partition("://")[2].partition("/")[0]
    token = token._replace(organization=organization or host, scope=scope)
    return Candidate(
        token=token,
        offer=offer,
        verdict=_known(token, offer=offer, store=store),
        wide=settings.repo_url.rstrip("/") in scope,
    )


def verified(one: Candidate, *, settings: Settings, clock: Clock) -> Candidate:
    """Return ``one`` with the verdict of the server."""
    from conda_token_plugin.gateways.http.client import Timeouts

    where = (*one.offer.token.scope, *places(one.token, settings=settings))
    try:
        found = verify(
            dict.fromkeys(where),
            token=one.token,
            secret=one.offer.secret,
            outcome=OUTCOME,
            timeouts=Timeouts(connect=5.0, read=10.0, retries=0),
        )
    except TokenRefused as error:
        return replace(one, verdict=ImportVerdict.REFUSED, error=error)
    except (NoChannel, ServiceError) as error:  # no channel is known, or the server is down
        return replace(one, verdict=ImportVerdict.UNKNOWN, error=error)
    moment = clock.now if found.verified else None
    return replace(one, verdict=ImportVerdict.WORKS, token=one.token._replace(verified=moment))


def without_overlap(
    candidates: Iterable[Candidate], *, notice: Callable[[str], None]
) -> list[Candidate]:
    """Give each prefix to the first candidate that has it, and tell what the others lose.

    Two organizations found in one tool would otherwise both claim the shared channels, and the
    last one would win.
    """
    holders: dict[str, Token] = {}
    kept: list[Candidate] = []
    for one in candidates:
        lost = [prefix for prefix in one.token.scope if prefix in holders]
        own = tuple(prefix for prefix in one.token.scope if prefix not in holders)
        if lost:
            first = holders[lost[0]]
            notice(
                f"{channels(lost)}: {named(first)} is used, because it was found first; "
                f"not {named(one.token)}."
            )
        if own:
            holders |= dict.fromkeys(own, one.token)
            kept.append(replace(one, token=one.token._replace(scope=own)))
    return kept


def consequences(one: Candidate, *, store: Store) -> Iterator[str]:
    """Yield what the user should know before the import is confirmed."""
    held = store.token(one.token.key)
    if held is not None:
        yield f"This replaces {named(held)}, which is stored."
    for other in store.tokens():
        common = set(other.scope).intersection(one.token.scope)
        if common and other.key != one.token.key:
            yield (
                f"{channels(sorted(common))} will be requested with {named(one.token)}, "
                f"and no longer with {named(other)}."
            )
    if one.wide:
        yield (
            f"The owner of the token {last_four(one.token)} is not known, so it would be sent to "
            "every organization's channels there. To name the owner, use --org."
        )


def clean(plains: Iterable[PlainTextCopy], *, settings: Settings, now: datetime) -> list[Cleaned]:
    """Remove plain-text copies from their files, each with a backup.

    Raises:
        ConfigurationError: A file must not be changed, or cannot be written.
        StoreError: The backup cannot be written. The file is unchanged.
    """
    by_path: dict[Path, list[PlainTextCopy]] = {}
    for plain in plains:
        by_path.setdefault(plain.path, []).append(plain)
    with ExportRecord(settings).held() as exports:
        cleaned = [
            _cleaned(path, copies, exports=exports, now=now) for path, copies in by_path.items()
        ]
    return [one for one in cleaned if one is not None]


def refused(candidates: Sequence[Candidate]) -> TokenPluginError | None:
    """Return the error of the first token that its server rejected, or None."""
    errors = (one.error for one in candidates if one.verdict is ImportVerdict.REFUSED)
    return next(filter(None, errors), None)


def _beyond(own: str, scope: tuple[str, ...], *, settings: Settings) -> Iterator[str]:
    """Yield the prefixes outside the organization's own one, except the whole repository."""
    for prefix in scope:
        inside = prefix == own or prefix.startswith(f"{own}/")
        if not inside and prefix != settings.repo_url.rstrip("/"):
            yield prefix


def _known(token: Token, *, offer: FoundCredential, store: Store) -> ImportVerdict:
    if store.token(token.key) is None:
        return ImportVerdict.UNVERIFIED
    try:
        same = store.secret(token.key) == offer.secret
    except StoreError:  # a locked keyring: the token is imported again
        return ImportVerdict.UNVERIFIED
    return ImportVerdict.STORED if same else ImportVerdict.UNVERIFIED


def _cleaned(
    path: Path, copies: Iterable[PlainTextCopy], *, exports: ExportRecord, now: datetime
) -> Cleaned | None:
    before = foreign_files.read_owned(path)
    if before is None:
        return None
    after = _without(path, before, copies=copies)
    if after == before:
        return None
    backup = exports.back_up(f"{now:%Y%m%dT%H%M%S}-{path.name.lstrip('.')}", before)
    if after is None:
        foreign_files.remove(path, before=before, created="")
    else:
        foreign_files.replace(path, after=after, before=before, keep_mode=True)
    return Cleaned(path=path, backup=backup)


def _without(path: Path, data: bytes, *, copies: Iterable[PlainTextCopy]) -> bytes | None:
    after: bytes | None = data
    try:
        for copy in copies:
            after = None if after is None else copy.without(after)
    except ValueError as error:  # not a text, or a notation that is not changed automatically
        fault = "is not UTF-8 text" if isinstance(error, UnicodeError) else str(error)
        raise ConfigurationError(
            path, reason=f"{fault} {UNCHANGED}", hint="Remove the token manually."
        ) from None
    return after

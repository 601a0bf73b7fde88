"""Taking in what other tools hold: collect, decide whose it is, try it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import ConfigurationError
from conda_token_plugin.errors.service import NoChannel, ServiceError, TokenRefused
from conda_token_plugin.errors.store import KeyringUnusable, StoreError
from conda_token_plugin.integrations.source import in_repository, merged
from conda_token_plugin.operations.issue_token import scope_of
from conda_token_plugin.operations.verify_token import places, verify
from conda_token_plugin.tokens.token import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.integrations.source import FoundCredential, Source
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.store import Store

OUTCOME = "It was not imported."


class ImportVerdict(Enum):
    """What trying a token showed."""

    WORKS = "works"
    REFUSED = "refused"
    UNKNOWN = "could not be tried"
    UNTRIED = "not tried"
    STORED = "stored already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An offer as it would be stored, and what is known of it."""

    token: Token
    offer: FoundCredential
    verdict: ImportVerdict = ImportVerdict.UNTRIED
    error: TokenPluginError | None = None
    """Why it was refused, or could not be tried."""
    wide: bool = False
    """Whether its scope is the whole repository, because nothing says whose it is."""


def collected(
    sources: Iterable[Source],
    *,
    settings: Settings,
    fault: Callable[[str], None],
    strict: bool,
) -> tuple[FoundCredential, ...]:
    """What the sources offer, each token once; ``fault`` is told what could not be looked at.

    Raises:
        ConfigurationError: a file cannot be read, and ``strict``.
    """
    return merged(
        offer
        for one in sources
        for offer in _of(one, settings=settings, fault=fault, strict=strict)
    )


def candidate(offer: FoundCredential, *, owner: str, store: Store, settings: Settings) -> Candidate:
    """``offer`` as a token of ``owner``, or of whom it says itself.

    A token of the repository whose owner is not known keeps the scope that it had there,
    and is called by its host.
    """
    organization = offer.organization or owner
    scope = offer.scope
    if organization and all(in_repository(prefix, settings) for prefix in scope):
        own = scope_of(organization, store=store, settings=settings, shared=None)
        scope = tuple(dict.fromkeys((*own, *_beyond(own[0], scope, settings=settings))))
    token = Token(
        organization=organization or scope[0].partition("://")[2].partition("/")[0],
        kind=TokenKind.UNKNOWN,
        scope=scope,
        way=offer.way,
        username=offer.username,
        last_four=offer.secret.last_four,
    )
    return Candidate(
        token=token,
        offer=offer,
        verdict=_known(token, offer=offer, store=store),
        wide=settings.repo_url.rstrip("/") in scope,
    )


def tried(one: Candidate, *, settings: Settings, now: datetime) -> Candidate:
    """``one`` with the verdict of the server."""
    from conda_token_plugin.gateways.http.client import Timeouts

    where = (*one.offer.scope, *places(one.token, settings=settings))
    try:
        found = verify(
            dict.fromkeys(where),
            token=one.token,
            secret=one.offer.secret,
            outcome=OUTCOME,
            timeouts=Timeouts(connect=5.0, read=10.0, again=0),
        )
    except TokenRefused as error:
        return replace(one, verdict=ImportVerdict.REFUSED, error=error)
    except (NoChannel, ServiceError) as error:  # no channel is known, or nobody answers
        return replace(one, verdict=ImportVerdict.UNKNOWN, error=error)
    proven = now if found.verified else None
    return replace(one, verdict=ImportVerdict.WORKS, token=one.token._replace(proven=proven))


def _of(
    source: Source, *, settings: Settings, fault: Callable[[str], None], strict: bool
) -> Iterator[FoundCredential]:
    try:
        yield from source.offers(settings)
    except KeyringUnusable as error:  # there is none here: what files hold has come before
        fault(error.what)
    except ConfigurationError as error:  # damaged, or newer than we are
        if strict:
            raise
        fault(str(error))


def _beyond(own: str, scope: tuple[str, ...], *, settings: Settings) -> Iterator[str]:
    """What a scope has besides the organization's part: not the repository as a whole."""
    for prefix in scope:
        inside = prefix == own or prefix.startswith(f"{own}/")
        if not inside and prefix != settings.repo_url.rstrip("/"):
            yield prefix


def _known(token: Token, *, offer: FoundCredential, store: Store) -> ImportVerdict:
    held = store.token(token.key)
    if held is None:
        return ImportVerdict.UNTRIED
    try:
        same = store.secret(token.key) == offer.secret
    except StoreError:  # a locked keyring: then it is imported anew
        return ImportVerdict.UNTRIED
    return ImportVerdict.STORED if same else ImportVerdict.UNTRIED

"""Verify a token: request a channel with it, and say where it was accepted.

This is the only way to try a token. ``install``, ``status``, ``sync``, ``import`` and
the explanation of a refusal all use it.

The shared channels (main, r, msys2) accept the token of any organization, and some are public.
So a token is verified in the organization's own channels. What the shared channels accept is
reported as accepted by the repository, and not as verified for the organization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import unquote

from conda_token_plugin.errors.service import NoChannel, TokenRefused
from conda_token_plugin.service.repository import ChannelProbe
from conda_token_plugin.tokens.authorization import other_scheme
from conda_token_plugin.tokens.repository_layout import (
    ARCHIVE_CHANNELS,
    SHARED_CHANNELS,
    shared_prefixes,
)
from conda_token_plugin.tokens.token import AuthScheme, TokenKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.gateways.http.client import Timeouts
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

STORED = "It is stored nevertheless."
PATH_ONLY = "If the server accepts tokens in the path only, as quetz does, use --send-as path."
USUAL_CHANNEL = "main"
"""Every organization of the hosted repository has this channel unless it was deleted. The
service has no documented way to list an organization's channels, so this one is requested."""


class Verification(NamedTuple):
    """Where a token was accepted, and what that shows."""

    organization: str
    url: str
    """Of the file that was returned, without secrets."""
    what: Literal["package", "repodata"]
    public: bool
    """Whether anyone can download the file, so that it shows nothing about the token."""
    own: bool
    """Whether the channel belongs to the token's organization."""

    @property
    def verified(self) -> bool:
        """Whether the token was verified for its organization's channels."""
        return self.own and not self.public

    @property
    def sentence(self) -> str:
        """The result as a sentence, with the next command where the token is not verified."""
        if self.verified:
            return f"Verified: downloaded {self.what} from {self.url}"
        if self.public:
            return f"Not verified: {self.url} is public. Run: conda token test URL"
        return (
            f"Accepted by the repository ({self.url}), but not verified for the channels of "
            f"{self.organization}. Run: conda token test URL"
        )


def places(token: Token, *, settings: Settings) -> tuple[str, ...]:
    """Return the channels in which ``token`` can be verified: its organization's own ones first.

    A token for single channels is verified in those only.
    """
    if token.kind is TokenKind.API_KEY:  # its scope is the repository of its site, not a channel
        return shared_prefixes(token.scope[0])
    repository = settings.repo_url.rstrip("/")
    own = token.channels or token.scope
    inside = [prefix for prefix in token.scope if _is_organization(prefix, repository=repository)]
    if not inside and repository not in token.scope:
        return own
    usual = () if token.channels else tuple(f"{prefix}/{USUAL_CHANNEL}" for prefix in inside)
    return tuple(dict.fromkeys((*usual, *own, *shared_prefixes(settings.repo_url))))


def verify(
    where: Iterable[str],
    *,
    token: Token,
    secret: Secret,
    outcome: str = STORED,
    timeouts: Timeouts | None = None,
) -> Verification:
    """Request the first channel among ``where`` with ``token``.

    Args:
        where: Channel URLs. The organization's own ones are requested before the shared ones.
        token: The metadata of the token.
        secret: The token itself.
        outcome: A sentence for the end of an error message, for example "It was not stored.".
        timeouts: Of each request.

    Raises:
        TokenRefused: The server refused the token.
        NoChannel: None of the URLs is a channel.
        ServiceError: There was no response, or it is not that of a channel.
    """
    probe = ChannelProbe(token, secret=secret, outcome=outcome, timeouts=timeouts)
    shared = _shared(token)
    candidates = sorted(where, key=lambda prefix: _rank(prefix, token=token, shared=shared))
    test_public = token.kind is not TokenKind.INDIVIDUAL
    try:
        for prefix in candidates:
            proof = probe.channel(prefix, test_public=test_public)
            if proof is not None:
                return Verification(token.organization, *proof, own=prefix not in shared)
    except TokenRefused as error:
        raise _with_other_scheme(error, token=token) from None
    raise NoChannel(", ".join(candidates) or "Nothing", outcome=outcome)


def _is_organization(prefix: str, *, repository: str) -> bool:
    folder, _, name = prefix.rpartition("/")
    return folder == repository and name not in (*SHARED_CHANNELS, *ARCHIVE_CHANNELS)


def _shared(token: Token) -> tuple[str, ...]:
    """Return the channels beside the organization's folder, which belong to no organization."""
    folders = [p.rpartition("/") for p in token.scope]
    homes = [folder for folder, _, name in folders if unquote(name) == token.organization]
    return tuple(f"{home}/{name}" for home in homes for name in SHARED_CHANNELS)


def _rank(prefix: str, *, token: Token, shared: tuple[str, ...]) -> int:
    """Sort the channels that the user named first, and the shared ones last, main before r."""
    if prefix in token.channels:
        return 0
    return 2 + shared.index(prefix) if prefix in shared else 1


def _with_other_scheme(error: TokenRefused, *, token: Token) -> TokenRefused:
    """Add another ``--send-as`` to the hint, for a server that may not accept this one.

    The hosted repository accepts the header, and a token that was verified before was accepted.
    """
    if token.kind is not TokenKind.SITE or token.verified or any(_shared(token)):
        return error
    hint = other_scheme(token.scheme.value, asked=error.asked)
    if not hint and token.scheme in (AuthScheme.TOKEN, AuthScheme.BEARER):
        hint = PATH_ONLY
    return error.with_hint(hint)  # type: ignore[return-value]  # returns the type of `error`

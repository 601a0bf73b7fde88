"""A token that this machine has, where it is from, and how to read its secret."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from conda_token_plugin.tokens.authorization import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

NO_METADATA: Mapping[str, Any] = {}


class HeldToken(NamedTuple):
    """A stored or supplied token. Neither its metadata nor its secret is read before it is used."""

    key: str
    source: str
    """For messages: a variable, a path, "keyring", "file" or "machine"."""
    secret: Callable[[], Secret]
    """Reads the secret. May raise StoreError or MalformedToken."""
    metadata: Callable[[], Token]
    """Reads the metadata. May raise StoreError if another program wrote the index."""
    prefix: str = ""
    """The prefix of the token's scope that covers the URL; empty if no URL was looked up."""
    about: Mapping[str, Any] = NO_METADATA
    """The metadata as they are in the index; empty for a supplied token."""
    discard: Callable[[], None] | None = None
    """Called when a server has refused the secret: the next ``secret`` may return another one.
    None if the secret cannot change while the process runs."""
    supplied_until: Callable[[], datetime | None] | None = None
    """For a provider: when the last secret that it supplied expires; None if it did not say."""

    @property
    def token(self) -> Token:
        """The metadata.

        Raises:
            StoreError: another program wrote the index, and they cannot be read.
        """
        return self.metadata()

    @property
    def way(self) -> str:
        """The value of the token's ``AuthScheme``."""
        return self.token.way.value if self.about.get("way") else TOKEN

    @property
    def username(self) -> str:
        """The user name; only for ``AuthScheme.BASIC``."""
        return self.token.username

    @property
    def path_before(self) -> str:
        """The path before ``/t/<token>``; only for ``PATH``."""
        return self.token.path_before

    def with_token(self, token: Token) -> HeldToken:
        """Return this with other metadata of the same token."""
        return self._replace(metadata=lambda: token)

    def is_usable_or_stale(self, *, now: datetime) -> bool:
        """Return ``Token.worth_trying``; most tokens are judged without their metadata.

        Raises:
            StoreError: the metadata cannot be read. If not, ``way`` and ``username`` can.
        """
        return _is_plainly_valid(self.about, now=now) or self.token.is_usable_or_stale(now=now)


def _is_plainly_valid(about: Mapping[str, Any], *, now: datetime) -> bool:
    """Return whether the token has no verdict, no scheme of its own, and no end before ``now``."""
    ends = filter(None, map(about.get, ("expires", "subscription_ends")))
    if about.get("verdict") or about.get("way"):
        return False
    try:
        return all(datetime.fromisoformat(end) > now for end in ends)
    except (TypeError, ValueError):  # another program wrote them
        return False

"""What is handed to a client, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token


RENAME = "Store one of them under a name of its own: conda token install --site --org NAME -c URL"
"""What to do where one organization has two tokens, and there is room for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token together with its secret: what a client is to be given."""

    token: Token
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One credential as a client keeps it: under which key, and in which words."""

    key: str
    value: str = field(repr=False)
    """In the client's own notation; holds the secret."""


class Place(Protocol):
    """Something that holds credentials of a client by key: a file, a folder, a keyring's service.

    Every method raises ConfigurationError where what is there cannot be read or must not be
    touched, and KeyringUnusable where a keyring does not answer.
    """

    @property
    def name(self) -> str:
        """The path, or ``keyring:<service>``: the same in every run."""

    def held(self, key: str) -> str | None:
        """The value under ``key`` in the client's notation, or None."""

    def prepare(self, key: str) -> None:
        """Raise if the client would not find, or would mix up, what is put under ``key``."""

    def sweep(self, key: str) -> None:
        """Clear away what a ``put`` of ``key`` that was killed has left."""

    def missing(self, key: str) -> str:
        """The topmost file or folder that writing ``key`` would make; "" if none."""

    def put(self, entry: Entry) -> None:
        """Write ``entry`` and leave everything else as it is."""

    def drop(self, key: str, *, made: str) -> None:
        """Take the entry under ``key`` out, as if it had never been there.

        ``made`` is what ``missing`` said before the first entry: it goes when nothing is left.
        """


class Target(Protocol):
    """A client that tokens can be exported to."""

    @property
    def name(self) -> str:
        """What the user types."""

    def installed(self, settings: Settings) -> bool:
        """Whether the client seems to be on this machine."""

    def place(self, settings: Settings, *, keyring: bool) -> Place:
        """Where the client looks first; ``keyring``: whether secrets are kept in a keyring."""

    def place_named(self, name: str) -> Place:
        """The place that was recorded under ``name``."""

    def place_at(self, path: Path) -> Place:
        """The place of a path that the user names."""

    def entries(self, grant: Grant) -> Iterable[Entry]:
        """What the client needs for ``grant``.

        Raises:
            BadInput: the client has no way to send such a token.
        """

    def secret_in(self, value: str) -> Secret | None:
        """The secret in a value of the client's notation; None if it is none that we know."""

    def notes(self, grant: Grant) -> Iterable[str]:
        """What the user should know about ``grant`` in the hands of this client."""

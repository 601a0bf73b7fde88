"""The interface of export targets: what a tool receives, and where it stores it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from conda_token_plugin.errors.input import BadInput, MalformedToken
from conda_token_plugin.tokens.authorization import TOKEN, secret_type
from conda_token_plugin.tokens.display import named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token together with its secret: what an export gives to a tool."""

    token: Token
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One credential in the format of a tool."""

    key: str
    value: str = field(repr=False)
    """The tool's own notation; it contains the secret."""
    limit: str = ""
    """Sentences that say what the tool cannot do with the entry, and what to use instead. The user
    confirms them before the entry is written. Empty: the tool sends the token as conda does."""


def secret_or_none(value: str, *, scheme: str = TOKEN) -> Secret | None:
    """Return ``value``, which another program wrote, as a secret for ``scheme``.

    None if it is empty, or contains a character that cannot be sent.
    """
    try:
        return secret_type(scheme)(value)
    except MalformedToken:
        return None


def shared_keys(wanted: Iterable[tuple[str, Grant]]) -> dict[str, list[Grant]]:
    """Return the keys that several tokens need, and these tokens, each once."""
    holders: dict[str, dict[str, Grant]] = {}
    for key, grant in wanted:
        holders.setdefault(key, {}).setdefault(grant.token.key, grant)
    return {key: list(some.values()) for key, some in holders.items() if len(some) > 1}


def refuse_shared_keys(wanted: Iterable[tuple[str, Grant]], *, tool: str) -> None:
    """Raise if several tokens need the same key of ``tool``, which can store one token there.

    Raises:
        BadInput: They do. The hint says how to choose one.
    """
    for key, (first, second, *_) in shared_keys(wanted).items():
        owner = first.token.organization
        raise BadInput(
            f"{tool} can store one credential for {key}, and {named(first.token)} and "
            f"{named(second.token)} both need it. Nothing was changed.",
            hint=f"Choose one with --org {owner}."
            if owner != second.token.organization
            else "Store one of them under another name: "
            "conda token install --site --org NAME -c URL",
        )


def refuse_inside_path(grant: Grant, *, tool: str) -> None:
    """Raise if the server expects the token within the path, where ``tool`` cannot put it.

    Raises:
        BadInput: It does. The tool would send the token before the path.
    """
    if grant.token.path_before:
        raise BadInput(
            f"{tool} cannot send the token of {grant.token.organization}: its server expects it "
            f"after {grant.token.path_before}, and {tool} puts it at the beginning of the path.",
            hint="Export it without this target, or run the tool with: conda token run",
        )


class Place(Protocol):
    """Where a tool stores credentials by key: a file, a folder or a keyring service.

    Every method raises ConfigurationError if the content cannot be read or must not be changed,
    and KeyringUnusable if a keyring does not answer.
    """

    @property
    def name(self) -> str:
        """Return the path, or ``keyring:<service>``. It is the same in every process."""

    def held(self, key: str) -> str | None:
        """Return the value under ``key`` in the tool's notation, or None."""

    def prepare(self, key: str) -> None:  # noqa: ARG002  # a file has one entry for each key
        """Raise if the tool could confuse an entry under ``key`` with another entry."""
        return

    def sweep(self, key: str) -> None:  # noqa: ARG002  # a keyring leaves none
        """Delete the temporary file of an interrupted ``put`` of ``key``, if it leaves one."""
        return

    def missing(self, key: str) -> str:  # noqa: ARG002  # a keyring makes none
        """Return the topmost file or folder that writing ``key`` would create, or ""."""
        return ""

    def put(self, key: str, value: str) -> None:
        """Write ``value`` under ``key``. The other entries keep their values."""

    def drop(self, key: str, *, created: str) -> None:
        """Remove the entry under ``key``.

        Args:
            key: The key of the entry.
            created: What ``missing`` returned before the first entry was written. It is deleted
                when nothing is left in it.
        """


class Target(Protocol):
    """A tool that tokens can be exported to."""

    name: str
    """What the user types."""

    def installed(self, settings: Settings) -> bool:  # noqa: ARG002  # most tools need them
        """Return whether the tool seems to be installed; True for a convention of many tools."""
        return True

    def place(self, settings: Settings, *, keyring: bool) -> Place:
        """Return the place where the tool looks first.

        Args:
            settings: The environment variables and the home folder.
            keyring: Whether to prefer the system keyring where the tool can read it.
        """

    def place_at(self, path: Path) -> Place:
        """Return the place at a path that the user gave."""

    def place_named(self, name: str) -> Place:
        """Return the place whose ``name`` was recorded."""
        return self.place_at(Path(name))

    def entries(self, grant: Grant) -> Iterable[Entry]:
        """Return the entries that the tool needs for ``grant``.

        Raises:
            BadInput: The tool has no way to send such a token.
        """

    def secret_in(self, value: str) -> Secret | None:
        """Return the secret in a value of the tool's notation, or None if it has none."""

    def notes(self, grant: Grant) -> Iterable[str]:
        """Return what the user should know about how the tool uses ``grant``."""

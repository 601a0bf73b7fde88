"""The store has no such token (exit code 1), or cannot be used as it is (6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class NoToken(TokenPluginError):
    """Nothing is stored for what was asked."""

    @classmethod
    def for_organization(cls, organization: str, *, known: Iterable[str] = ()) -> NoToken:
        """No token of this organization is stored; those of ``known`` are."""
        from difflib import get_close_matches

        names = sorted(known)
        close = get_close_matches(organization, names, n=1)
        return cls(
            f"No token is stored for the organization {organization!r}"
            + (f" (stored: {', '.join(names)})." if names else " (none is stored at all)."),
            hint=f"Did you mean {close[0]!r}? See: conda token list"
            if close
            else f"Run: conda token install --org {organization}",
        )

    @classmethod
    def for_url(cls, url: str) -> NoToken:
        """No token covers this URL."""
        return cls(
            f"No token covers {url}: it would be requested without one.",
            hint="Run: conda token list",
        )


class StoreError(TokenPluginError):
    """The store of tokens cannot be used as it is."""

    exit_code = 6


class StoreCorrupt(StoreError):
    """A file of the store is not what was written. It is left untouched."""

    def __init__(self, path: Path, *, fault: str) -> None:
        """``fault`` says how it shows, without a byte of the content."""
        super().__init__(
            f"{path} is damaged ({fault}) and was left as it is.",
            hint=f"Restore it from a backup, or move it away ({path.name}.bak) "
            "and run: conda token install",
        )


class StoreNewer(StoreError):
    """A file of the store was written by a later version of this plugin."""

    def __init__(self, path: Path, *, version: object) -> None:
        """``version`` is the format version that the file claims."""
        super().__init__(
            f"{path} has format version {version!r}, which this version cannot read; "
            "it was left as it is.",
            hint="Update: conda update -n base conda-token-plugin",
        )


class StoreBusy(StoreError):
    """Another process holds the lock for longer than we wait."""

    def __init__(self, path: Path, *, waited: float) -> None:
        """``waited`` in seconds."""
        super().__init__(
            f"Another process has kept {path} locked for {waited:.0f} seconds.",
            hint="Run this again when it has finished.",
        )


class StoreUnusable(StoreError):
    """A file or folder of the store cannot be read or written."""

    def __init__(self, path: Path, *, reason: str, hint: str = "") -> None:
        """``reason`` is the system's own: "Read-only file system"."""
        super().__init__(
            f"{path} cannot be used: {reason}. Nothing was changed.",
            hint=hint or "Make it writable, or choose another folder with CONDA_TOKEN_HOME.",
        )


class IssueLost(StoreError):
    """A token was issued, and the store failed only then: it is gone, as is the one before it."""

    def __init__(self, organization: str, *, cause: StoreError) -> None:
        """``cause`` is what the store said; that "nothing was changed" is not true of the issue."""
        reason = cause.what.removesuffix("Nothing was changed.").rstrip(" .")
        super().__init__(
            f"A token of {organization!r} was issued and is lost, and the one before it is revoked:"
            f" {reason}.",
            hint=f"{cause.hint} Then run: "
            f"conda token install --org {organization} --reissue".lstrip(),
        )


class SecretLost(StoreError):
    """The store names a secret, and the vault it lies in has it no more."""

    def __init__(self, what: str, *, vault: str, command: str) -> None:
        """``what``: "token of 'acme'"; ``command`` gets another."""
        super().__init__(
            f"The {what} is gone from the {vault}: it was deleted there, "
            "or lies on another machine.",
            hint=f"Run: {command}",
        )


class KeyringUnusable(StoreError):
    """The system keyring is absent, locked, refused, or too slow to answer."""

    def __init__(self, reason: str) -> None:
        """``reason`` finishes the sentence "The system keyring …"."""
        super().__init__(
            f"The system keyring {reason}.",
            hint=f"{'Unlock it, or k' if 'locked' in reason else 'K'}eep the token in a file "
            "with --store file.",
        )

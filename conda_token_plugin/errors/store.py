"""Errors of the store: no such token (exit code 1), or the store is unusable (6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class NoToken(TokenPluginError):
    """No token is stored for the organization or the URL."""

    @classmethod
    def for_organization(
        cls, organization: str, *, known: Iterable[str] = (), hint: str = ""
    ) -> NoToken:
        """Return the error for an organization.

        Args:
            organization: The name that the user typed.
            known: The organizations of the tokens that are stored.
            hint: The next step, if no known organization has a similar name. Empty: install one.
        """
        from difflib import get_close_matches

        names = sorted(known)
        close = get_close_matches(organization, names, n=1)
        return cls(
            f"No token is stored for the organization {organization!r}"
            + (f" (stored: {', '.join(names)})." if names else " (no tokens are stored)."),
            hint=f"Did you mean {close[0]!r}? See: conda token list"
            if close
            else hint or f"Run: conda token install --org {organization}",
        )

    @classmethod
    def for_url(cls, url: str) -> NoToken:
        """Return the error for a URL that no token covers."""
        return cls(
            f"No token covers {url}: it would be requested without one.",
            hint="Run: conda token list",
        )


class StoreError(TokenPluginError):
    """The store cannot be used in its current state."""

    exit_code = 6


class StoreCorrupt(StoreError):
    """A file of the store is damaged. It is left unchanged."""

    def __init__(self, path: Path, *, fault: str) -> None:
        """Take what is wrong, without any of the content."""
        super().__init__(
            f"{path} is damaged ({fault}) and was not changed.",
            hint=f"Restore it from a backup, or move it away ({path.name}.bak) "
            "and run: conda token install",
        )


class StoreNewer(StoreError):
    """A file of the store was written by a later version of this plugin."""

    def __init__(self, path: Path, *, version: object) -> None:
        """Take the format version of the file."""
        super().__init__(
            f"{path} has format version {version!r}, which this version of the plugin cannot read. "
            "It was not changed.",
            hint="Update: conda update -n base conda-token-plugin",
        )


class StoreBusy(StoreError):
    """Another process held the lock for longer than the time limit."""

    def __init__(self, path: Path, *, waited: float) -> None:
        """Take the path of the lock and the time limit in seconds."""
        super().__init__(
            f"Another process has kept {path} locked for {waited:.0f} seconds.",
            hint="Run this command again when that process has ended.",
        )


class StoreUnusable(StoreError):
    """A file or folder of the store cannot be read or written."""

    def __init__(self, path: Path, *, reason: str, hint: str = "") -> None:
        """Take the reason, as the system words it: "Read-only file system"."""
        super().__init__(
            f"{path} cannot be used: {reason}. Nothing was changed.",
            hint=hint
            or "Check its owner, its permissions and the free space, or choose another folder with "
            "CONDA_TOKEN_HOME.",
        )


class IssueLost(StoreError):
    """A token was issued but could not be stored, and the previous token is revoked."""

    def __init__(self, organization: str, *, cause: StoreError) -> None:
        """Take the error of the store; its "Nothing was changed." is removed, as it is false."""
        reason = cause.what.removesuffix("Nothing was changed.").rstrip(" .")
        super().__init__(
            f"A token for {organization!r} was issued but could not be stored, and the previous "
            f"token is revoked: {reason}.",
            hint=f"{cause.hint} Then run: "
            f"conda token install --org {organization} --reissue".lstrip(),
        )


class SecretLost(StoreError):
    """The index refers to a secret that its vault no longer contains."""

    def __init__(self, what: str, *, vault: str, command: str) -> None:
        """Take what is missing ("token of 'acme'") and the command that obtains another."""
        super().__init__(
            f"The {what} is missing from the {vault}: it was deleted there, "
            "or the store was copied from another machine.",
            hint=f"Run: {command}",
        )


class ProviderFailed(StoreError):
    """The command of a provider supplied no valid credential."""

    def __init__(self, name: str, *, reason: str) -> None:
        """Take the name of the provider, and a reason without any of its output."""
        self.reason = reason
        super().__init__(
            f"The provider {name} failed: {reason}.", hint=f"Run: conda token provider test {name}"
        )


class NothingSupplied(StoreError):
    """A provider says that requests need no credential."""

    is_fault = False

    def __init__(self, name: str, *, scope: str) -> None:
        """Take the name of the provider, and the prefix that it was asked for."""
        super().__init__(
            f"The provider {name} supplies no credential for {scope}.",
            hint=f"Run: conda token provider test {name}",
        )


class KeyringUnusable(StoreError):
    """The system keyring is absent, locked, refused, or too slow to answer."""

    def __init__(self, reason: str, *, persistent: bool = False) -> None:
        """Take the end of the sentence "The system keyring …".

        ``persistent``: whether another call of this process would fail in the same way.
        """
        self.reason, self.persistent = reason, persistent
        super().__init__(
            f"The system keyring {reason}.",
            hint=f"{'Unlock it, or k' if 'locked' in reason else 'K'}eep the token in a file "
            "with --store file.",
        )

"""The user's identity could not be established (exit code 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class LoginError(TokenPluginError):
    """The user's identity could not be established."""

    exit_code = 3


class NotLoggedIn(LoginError):
    """No API key for the service was found."""

    def __init__(
        self,
        *,
        service: str = "",
        elsewhere: Iterable[str] = (),
        unused: str = "",
        settable: bool = True,
    ) -> None:
        """Compose the message.

        Args:
            service: Address of the service.
            elsewhere: Other domains that anaconda-auth has a login for.
            unused: A sentence about a key that belongs to another service.
            settable: Whether a key or domain in a variable would be used for the service.
        """
        domain = next(iter(sorted(elsewhere)), "")
        variable = "   (or set ANACONDA_AUTH_API_KEY)" if settable else ""
        at = f" to {service}" if service else ""
        super().__init__(
            f"You are not logged in{at}: no API key was found."
            + (f" (There is a login of anaconda-auth for {domain}.)" if domain else "")
            + (f" {unused}" if unused else ""),
            hint=f"To use it, set ANACONDA_AUTH_DOMAIN={domain}; otherwise run: conda token login"
            if domain and settable
            else f"Run: conda token login{variable}",
        )


class LoginRefused(LoginError):
    """The service does not accept the API key."""

    def __init__(
        self,
        *,
        service: str,
        source: str,
        expired: datetime | None = None,
        hint: str = "",
        what: str = "API key",
    ) -> None:
        """Compose the message.

        Args:
            service: Address of the service.
            source: Where the key was found.
            expired: When the key expired, if it has by the clock of the service.
            hint: The next step. Empty: log in again.
            what: What was refused.
        """
        command = "Run: conda token login"
        # The environment takes precedence over every login.
        if source.startswith("ANACONDA_"):
            command = f"Set {source} to another value, or unset it and run: conda token login"
        elif source.lower().endswith("/anaconda_auth_api_key"):  # a file that was mounted
            command = "Replace this file, or remove it and run: conda token login"
        reason = f"expired on {expired:%Y-%m-%d}" if expired else "is wrong or has expired"
        super().__init__(
            f"{service} does not accept the {what} from {source}: it {reason}.",
            hint=hint or command,
        )


class LoginIncomplete(LoginError):
    """The login was denied, expired, or was not finished."""

    def __init__(self, reason: str, *, hint: str = "Run: conda token login") -> None:
        """Compose the message; ``reason`` completes the sentence "The login …"."""
        super().__init__(f"The login {reason}. Nothing was changed.", hint=hint)

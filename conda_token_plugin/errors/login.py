"""Who you are could not be established (exit code 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class LoginError(TokenPluginError):
    """Who you are could not be established."""

    exit_code = 3


class NotLoggedIn(LoginError):
    """No API key was found anywhere."""

    def __init__(self, *, elsewhere: Iterable[str] = ()) -> None:
        """``elsewhere``: domains that anaconda-auth has a login for, none of them this service."""
        domain = next(iter(sorted(elsewhere)), "")
        super().__init__(
            "You are not logged in: no API key was found."
            + (f" (There is a login of anaconda-auth for {domain}.)" if domain else ""),
            hint=f"To use it, set ANACONDA_AUTH_DOMAIN={domain}; otherwise run: conda token login"
            if domain
            else "Run: conda token login   (or set ANACONDA_AUTH_API_KEY)",
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
    ) -> None:
        """``source`` names where the key was found; ``expired`` is when, where the key says so."""
        command = "Run: conda token login"
        if source.startswith("ANACONDA_"):  # a variable, which goes before any login
            command = "Give it another value, or unset it and run: conda token login"
        super().__init__(
            f"The API key from {source} expired on {expired:%Y-%m-%d}."
            if expired
            else f"{service} does not accept the API key from {source}: "
            "it is wrong or has expired.",
            hint=hint or command,
        )


class LoginAbandoned(LoginError):
    """The login was denied, expired, or never finished."""

    def __init__(self, reason: str, *, hint: str = "Run: conda token login") -> None:
        """``reason`` finishes the sentence "The login …"."""
        super().__init__(f"The login {reason}. Nothing was changed.", hint=hint)

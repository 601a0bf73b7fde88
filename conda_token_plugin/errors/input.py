"""What was typed, pasted or named (exit code 2), or stands in a file of the user's (7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


class BadInput(TokenPluginError):
    """Something that the user typed, pasted or named cannot be used."""

    exit_code = 2


class Supplied(BadInput):
    """A token that is not the store's to remove or to replace: the environment supplies it."""

    def __init__(self, organization: str, *, source: str) -> None:
        """``source`` is the variable or the file that supplies it."""
        super().__init__(
            f"The token of {organization!r} is supplied by {source}, which comes before the store.",
            hint=f"To use another one, or none, take {source} away.",
        )


class HeldElsewhere(BadInput):
    """Issuing a token would revoke one that is not stored on this machine."""

    def __init__(self, organization: str, *, id: str, expires: datetime | None) -> None:  # noqa: A002  # the service's word
        """Name the token by its ``id``, and when it ``expires`` if the service says so."""
        until = f", valid until {expires:%Y-%m-%d}" if expires else ""
        super().__init__(
            f"{organization} already has a token for you ({id}{until}), and it is not stored on "
            "this machine. Issuing another one would revoke it.",
            hint="In CI, set ANACONDA_REPO_TOKEN instead. To use the same token here, run on the "
            f"machine that has it: conda token run --org {organization} --as T -- "
            "sh -c 'printf %s \"$T\"' | ssh HOST "
            f"conda token install --org {organization} --token-stdin. "
            "To replace the token anyway, use --reissue.",
        )


class MalformedToken(BadInput):
    """A value that cannot be a token. Never shows the value."""

    def __init__(self, fault: str, *, where: str = "") -> None:
        """``fault`` says what is wrong, in words that do not show the value.

        ``where`` is the variable or file that holds it, if it was not typed.
        """
        super().__init__(
            f"What {where} holds is not a token or key: {fault}."
            if where
            else f"That is not a token: {fault}.",
            hint=f"{'Put it there' if where else 'Paste the token'} alone, "
            "without quotes, blanks or line breaks.",
        )


class MalformedURL(BadInput):
    """A URL that no token may be sent to, or that is no URL."""

    def __init__(self, url: str, fault: str) -> None:
        """``url`` is shown as given by the caller, who has taken secrets out of it."""
        super().__init__(
            f"{url!r} is not a channel URL that a token can be sent to: {fault}.",
            hint="Use https://HOST/PATH (http only for this machine itself).",
        )


class NeedsAnswer(BadInput):
    """A question had to be asked, and there is no terminal to ask it on."""

    def __init__(self, question: str, *, flag: str) -> None:
        """``flag`` is the option that answers ``question``."""
        super().__init__(f"{question} There is no terminal to ask on.", hint=f"Answer with {flag}.")


class ConfigurationError(TokenPluginError):
    """A condarc or another tool's file cannot be read or written."""

    exit_code = 7

    def __init__(self, path: Path, *, reason: str, hint: str = "") -> None:
        """``reason`` finishes the sentence "PATH …"."""
        super().__init__(f"{path} {reason}.", hint=hint or "Mend the file, then run this again.")

"""What was typed, pasted or named (exit code 2), or is in a file of the user (7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_token_plugin.errors import TokenPluginError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path


class BadInput(TokenPluginError):
    """Something that the user typed, pasted or named cannot be used."""

    exit_code = 2


class Supplied(BadInput):
    """The environment supplies the token, so the store can neither remove nor replace it."""

    def __init__(self, organization: str, *, source: str) -> None:
        """Take the organization, and the variable or file that supplies its token."""
        super().__init__(
            f"The token of {organization!r} is supplied by {source}, which has precedence over "
            "the store.",
            hint=f"To use another token, or none, remove {source}.",
        )


class HeldElsewhere(BadInput):
    """Issuing a token would revoke one that is not stored on this machine."""

    def __init__(self, organization: str, *, id: str, expires: datetime | None) -> None:  # noqa: A002  # the service's word
        """Name the token by its ``id``, and when it ``expires`` if the service says so."""
        until = f", valid until {expires:%Y-%m-%d}" if expires else ""
        super().__init__(
            f"{organization} already has a token for you ({id}{until}), and it is not stored on "
            "this machine. Issuing another one would revoke it.",
            hint="In CI, set ANACONDA_REPO_TOKEN instead. To replace the token anyway, use "
            "--reissue. To use the same token here too, run on the machine that has it: "
            f"conda token run --org {organization} --as T -- sh -c 'printf %s \"$T\"' "
            f"| ssh HOST conda token install --org {organization} --token-stdin",
        )


class MalformedToken(BadInput):
    """A value cannot be a token. The value is never shown."""

    def __init__(self, fault: str, *, where: str = "") -> None:
        """Compose the message.

        Args:
            fault: What is wrong, in words that do not show the value.
            where: The variable or file that has the value, if it was not typed.
        """
        super().__init__(
            f"The content of {where} is not a token or key: {fault}."
            if where
            else f"That is not a token: {fault}.",
            hint=f"{'Put only the token there' if where else 'Paste only the token'}, "
            "without quotes, spaces or line breaks.",
        )


class MalformedPassword(MalformedToken):
    """A value cannot be a password. The value is never shown."""

    def __init__(self, fault: str) -> None:
        """Take what is wrong, in words that do not show the value."""
        BadInput.__init__(
            self,
            f"That is not a password: {fault}.",
            hint="Give only the password, in UTF-8, with at most one line break at its end.",
        )


class MalformedURL(BadInput):
    """A text is not a URL, or no token may be sent to it."""

    def __init__(self, url: str, fault: str, *, setting: str = "") -> None:
        """Compose the message.

        Args:
            url: The URL without its secrets. If it could not be parsed, all before an "@" is
                hidden here, because it may be a password.
            fault: What is wrong with it.
            setting: The variable or file that names the URL as that of a service or repository.
        """
        self.url, self.fault = url, fault
        scheme, separator, rest = url.partition("://")
        before, at, after = rest.rpartition("@")
        shown = f"{scheme}{separator}{f'…@{after}' if at else before + after}"
        super().__init__(
            f"{shown!r} in {setting} is not an address of a service or repository: {fault}."
            if setting
            else f"{shown!r} is not a channel URL that a token can be sent to: {fault}.",
            hint="Use https://HOST/PATH (http only for this machine itself).",
        )


class UnknownSite(BadInput):
    """A name is that of no site, or the domain of several."""

    def __init__(self, name: str, *, source: str, known: Sequence[str], several: bool) -> None:
        """Compose the message.

        Args:
            name: The name, as a message shows it.
            source: The variable or setting that has the name. Empty: it was typed.
            known: The names of the sites.
            several: Whether these are the sites of the domain ``name``.
        """
        named, names = f" ({source})" if source else "", ", ".join(known)
        correct = f"Correct {source}. " if source else ""
        super().__init__(
            f"Several sites have the domain {name}{named}: {names}."
            if several
            else f"No site is called {name}{named}. Known: {names}.",
            hint=f"{correct}To list the sites, run: conda token sites",
        )


class NeedsAnswer(BadInput):
    """A question must be answered, and there is no terminal to ask it on."""

    def __init__(self, question: str, *, flag: str) -> None:
        """Take the question and the option that answers it."""
        super().__init__(f"{question} There is no terminal to ask on.", hint=f"Answer with {flag}.")


class ConfigurationError(TokenPluginError):
    """A condarc or another tool's file cannot be read or written."""

    exit_code = 7

    def __init__(self, path: Path, *, reason: str, hint: str = "") -> None:
        """Take the file, and a reason that completes the sentence "PATH …"."""
        super().__init__(
            f"{path} {reason}.", hint=hint or "Correct the file, then run this command again."
        )

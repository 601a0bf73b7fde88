"""Tokens that environment variables and mounted files supply, each read once per process."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from conda_token_plugin.settings import organization_of, token_variable
from conda_token_plugin.store.held_token import HeldToken
from conda_token_plugin.tokens.scope import organization_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.errors import TokenPluginError
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token

    Value = tuple[str, Secret] | None


class SuppliedTokens:
    """The supplied tokens of one process.

    A variable may name a pipe, which can be read only once. So each value, and each failure to
    read one, is kept and shared between threads.
    """

    def __init__(self, settings: Settings) -> None:
        """Do no I/O."""
        self._settings = settings
        self._lock = Lock()
        self._values: dict[str, Value | TokenPluginError] = {}

    def find(self, organization: str | None) -> HeldToken | None:
        """Return the token for ``organization``, or the one for the whole repository.

        Raises:
            MalformedToken: a variable, or the file that it names, holds no token.
            StoreUnusable: the file that a variable names cannot be read.
        """
        for owner in dict.fromkeys((organization or "", "")):
            found = self._value(token_variable(owner))
            if found is not None:
                return _held(self._settings, organization=owner, found=found)
        return None

    def all(self) -> Iterator[HeldToken]:
        """Yield every supplied token. Raises as ``find``."""
        for name in self._settings.repository_tokens():
            found = self._value(name)
            if found is not None:
                yield _held(self._settings, organization=organization_of(name), found=found)

    def _value(self, name: str) -> Value:
        from conda_token_plugin.errors import TokenPluginError

        with self._lock:
            if name not in self._values:
                try:
                    self._values[name] = self._settings.repository_token(name)
                except TokenPluginError as error:
                    self._values[name] = error
            value = self._values[name]
        if isinstance(value, TokenPluginError):
            raise value
        return value


def supplied(settings: Settings, *, organization: str) -> HeldToken | None:
    """Return the token that the environment supplies for ``organization``.

    Raises:
        MalformedToken: a variable, or the file that it names, holds no token.
        StoreUnusable: the file that a variable names cannot be read.
    """
    return SuppliedTokens(settings).find(organization)


def _held(settings: Settings, *, organization: str, found: tuple[str, Secret]) -> HeldToken:
    """Return what the variable ``found[0]`` supplies; ``organization`` is empty for all."""
    source, secret = found
    repository = settings.repo_url
    prefix = organization_prefix(repository, organization) if organization else repository[:-1]
    owner = organization or "(any)"

    def metadata() -> Token:
        from conda_token_plugin.tokens.token import Token, TokenKind

        return Token(
            organization=owner,
            kind=TokenKind.UNKNOWN,
            scope=(prefix,),
            last_four=secret.last_four,
        )

    return HeldToken(
        f"{owner}@{prefix}", source=source, secret=lambda: secret, metadata=metadata, prefix=prefix
    )

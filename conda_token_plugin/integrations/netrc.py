"""netrc: user and password a host, read by curl, pip, conda, rattler, mamba, and many more.

It can only say Basic, and a host is named without port and path. So it is for tokens that a server
takes as a password (``AuthScheme.BASIC``); the repository takes none of these, as far as is known.

The file is the one that ``NETRC`` names (requests, pip, rattler; curl since 8.16), else
``~/.netrc``, or ``~/_netrc`` where only that is there. Our entry goes to the beginning, because
readers take the first that fits, and ignore what comes after ``default``.
"""

from __future__ import annotations

import netrc
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conda_token_plugin.errors.input import BadInput, ConfigurationError, MalformedToken
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.locks import LEFT
from conda_token_plugin.integrations.rattler import hosts_of
from conda_token_plugin.integrations.target import Entry
from conda_token_plugin.settings import absolute
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.integrations.target import Grant, Place
    from conda_token_plugin.settings import Settings

_PLAIN = re.compile(r"[^\s\"'#\\]+")
"""What every reader reads the same: they differ on quotes, comments and escapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetrcFile:
    """The file at ``path``; a value is the text of an entry without its first line."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def logins(self) -> dict[str, tuple[str, str]]:
        """User and password by host; ``default`` is one of them."""
        return {} if foreign_files.content(self.path) is None else self.look()

    def look(self) -> dict[str, tuple[str, str]]:
        """As ``logins``, of a file that is only read: it may be a link, or somebody else's."""
        if foreign_files.glance(self.path) is None:
            return {}
        try:
            hosts = netrc.netrc(str(self.path)).hosts
        except netrc.NetrcParseError as error:  # its text may quote a password: the line is enough
            raise self._damaged(f"line {error.lineno}") from None
        except UnicodeDecodeError:  # neither UTF-8 nor the locale's
            raise self._damaged("it is no text") from None
        return {host: (login, password or "") for host, (login, _, password) in hosts.items()}

    def held(self, key: str) -> str | None:
        """The entry of the host ``key``."""
        login = self.logins().get(key)
        return None if login is None else _value(*login)

    def prepare(self, key: str) -> None:
        """Nothing is in the way of a key."""

    def sweep(self, key: str) -> None:  # noqa: ARG002  # as Place
        """Clear away what a write that was killed has left."""
        foreign_files.sweep(self.path)

    def missing(self, key: str) -> str:  # noqa: ARG002  # as Place
        """What has to be made for the file to be there."""
        return foreign_files.first_missing(self.path)

    def put(self, entry: Entry) -> None:
        """Write the entry before all others, or in place of an older one of ours."""
        before = foreign_files.content(self.path)
        old = self.held(entry.key)
        rest = before or b"" if old is None else self._without(before or b"", entry.key, old)
        foreign_files.replace(self.path, after=_block(entry.key, entry.value) + rest, before=before)

    def drop(self, key: str, *, made: str) -> None:
        """Take our lines out."""
        before, old = foreign_files.content(self.path), self.held(key)
        if before is None or old is None:
            return
        after = self._without(before, key, old)
        if made and not after:
            foreign_files.remove(self.path, before=before, made=made)
        else:
            foreign_files.replace(self.path, after=after, before=before)

    def _without(self, data: bytes, key: str, value: str) -> bytes:
        block = _block(key, value)
        if data.count(block) != 1:
            raise ConfigurationError(
                self.path,
                reason=f"has the entry for {key} in another form {LEFT}",
                hint=f"Take the entry for {key} out by hand.",
            )
        return data.replace(block, b"")

    def _damaged(self, fault: str) -> ConfigurationError:
        return ConfigurationError(self.path, reason=f"is damaged ({fault}) {LEFT}")


class Netrc:
    """Whatever reads netrc."""

    name = "netrc"

    def installed(self, settings: Settings) -> bool:  # noqa: ARG002  # as Target
        """It is a convention, not a program."""
        return True

    def place(self, settings: Settings, *, keyring: bool) -> Place:  # noqa: ARG002  # as Target
        """The file."""
        return self.place_at(path_of(settings))

    def place_named(self, name: str) -> Place:
        """The file."""
        return self.place_at(Path(name))

    def place_at(self, path: Path) -> NetrcFile:
        """The file at ``path``."""
        return NetrcFile(path=absolute(path))

    def entries(self, grant: Grant) -> Iterator[Entry]:
        """One entry a host of the token's scope.

        Raises:
            BadInput: the server does not take the token as a password, or netrc cannot hold it.
        """
        token, secret = grant.token, grant.secret.reveal()
        if token.way is not AuthScheme.BASIC:
            raise BadInput(
                f"netrc can only say user and password, and the token of {token.organization} "
                f"is sent as {token.way.value!r}.",
                hint="If its server takes it as a password: conda token install --site "
                f"--org {token.organization} -c URL --send-as basic --username NAME",
            )
        if not (_PLAIN.fullmatch(secret) and _PLAIN.fullmatch(token.username)):
            raise BadInput(
                f"The user or password of {token.organization} has a quote, #, \\ or blank, which "
                "programs read from netrc in different ways.",
                hint="Use another target: rattler, pixi, mamba.",
            )
        for host in hosts_of(grant):
            yield Entry(key=host, value=_value(token.username, secret))

    def secret_in(self, value: str) -> Secret | None:
        """The password."""
        try:
            return Secret(value.rpartition("password ")[2])
        except MalformedToken:  # an empty password, or one with blanks
            return None

    def notes(self, grant: Grant) -> Iterator[str]:
        """It finds by host alone."""
        yield (
            f"Programs that read netrc send this to all of {', '.join(hosts_of(grant))}, "
            "on every port and path."
        )


def path_of(settings: Settings) -> Path:
    """The file that most programs read."""
    named = settings.variables.get("NETRC")
    if named:
        return Path(named)
    usual, other = settings.home / ".netrc", settings.home / "_netrc"
    return other if other.exists() and not usual.exists() else usual


def _value(login: str, password: str) -> str:
    return f"login {login} password {password}"


def _block(host: str, value: str) -> bytes:
    login, _, password = value.removeprefix("login ").partition(" password ")
    return f"machine {host}\n  login {login}\n  password {password}\n".encode()

"""netrc: user and password per host, read by curl, pip, conda, rattler, mamba and others.

The format expresses only Basic authentication, and names a host without port and path. It is
therefore a target only for tokens that a server accepts as a password (`AuthScheme.BASIC`).

The file is the one that ``NETRC`` names (requests, pip, rattler; curl since 8.16), otherwise
``~/.netrc``, or ``~/_netrc`` if only that exists. An exported entry is written to the beginning,
because readers take the first match and ignore everything after ``default``.

As an import source it yields the logins of hosts that serve channels, and no others: a netrc also
holds logins for unrelated services. A host counts if a configuration file names a channel on it,
or if it is the repository's host or conda.anaconda.org.
"""

from __future__ import annotations

import netrc
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.errors.input import BadInput, ConfigurationError, MalformedToken
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.gateways.locks import UNCHANGED
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.integrations.formats.netrc_text import without_machine
from conda_token_plugin.integrations.rattler import hosts_of
from conda_token_plugin.integrations.source import Plain, RawCredential, offered, url_of
from conda_token_plugin.integrations.target import Entry
from conda_token_plugin.tokens.secret import Password
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda_token_plugin.integrations.source import FoundCredential
    from conda_token_plugin.integrations.target import Grant, Place
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret

_PLAIN = re.compile(r"(?:(?![\"'#\\])[!-~])+")
"""Words that all readers parse in the same way. They differ on quotes, comments, escapes and
encodings: curl sends the bytes of the file, requests encodes the password as Latin-1."""
_KNOWN_HOSTS = ("conda.anaconda.org",)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetrcFile:
    """The file at ``path``. A value is the text of an entry without its first line."""

    path: Path

    @property
    def name(self) -> str:
        """Return the path."""
        return str(self.path)

    def logins(self) -> dict[str, tuple[str, str]]:
        """Return user and password by host, of a file that may be changed.

        The key ``default`` stands for all other hosts.

        Raises:
            ConfigurationError: The file cannot be parsed or must not be changed.
        """
        return {} if foreign_files.read_owned(self.path) is None else self.look()

    def look(self) -> dict[str, tuple[str, str]]:
        """Return user and password by host, of a file that is only read.

        Raises:
            ConfigurationError: The file cannot be read or parsed.
        """
        if foreign_files.read_any(self.path) is None:
            return {}
        try:
            hosts = netrc.netrc(str(self.path)).hosts
        except netrc.NetrcParseError as error:  # its message may quote a password
            raise self._damaged(f"line {error.lineno}") from None
        except UnicodeDecodeError:
            raise self._damaged("it is not a text file") from None
        return {host: (login, password or "") for host, (login, _, password) in hosts.items()}

    def held(self, key: str) -> str | None:
        """Return the entry of the host ``key``, or None."""
        login = self.logins().get(key)
        return None if login is None else _value(*login)

    def prepare(self, key: str) -> None:
        """Do nothing: hosts cannot be confused with one another."""

    def sweep(self, key: str) -> None:  # noqa: ARG002  # the signature of Place
        """Delete the temporary file of an interrupted write."""
        foreign_files.sweep(self.path)

    def missing(self, key: str) -> str:  # noqa: ARG002  # the signature of Place
        """Return the topmost file or folder that does not exist yet, or ""."""
        return foreign_files.topmost_missing(self.path)

    def put(self, key: str, value: str) -> None:
        """Write the entry before all others, or replace the exported entry of the same host."""
        before = foreign_files.read_owned(self.path)
        old = self.held(key)
        rest = before or b"" if old is None else self._without(before or b"", key, old)
        foreign_files.replace(self.path, after=_block(key, value) + rest, before=before)

    def drop(self, key: str, *, made: str) -> None:
        """Remove the exported lines, and the file if the export created it and it is empty."""
        before, old = foreign_files.read_owned(self.path), self.held(key)
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
                reason=f"has the entry for {key} in another form {UNCHANGED}",
                hint=f"Remove the entry for {key} by hand.",
            )
        return data.replace(block, b"")

    def _damaged(self, fault: str) -> ConfigurationError:
        return ConfigurationError(self.path, reason=f"is damaged ({fault}) {UNCHANGED}")


class Netrc:
    """The export target: every program that reads netrc."""

    name = "netrc"

    def installed(self, settings: Settings) -> bool:  # noqa: ARG002  # the signature of Target
        """Return True: netrc is a convention of many programs."""
        return True

    def place(self, settings: Settings, *, keyring: bool) -> Place:  # noqa: ARG002  # the signature of Target
        """Return the user's netrc file."""
        return self.place_at(path_of(settings))

    def place_named(self, name: str) -> Place:
        """Return the file whose path was recorded."""
        return self.place_at(Path(name))

    def place_at(self, path: Path) -> NetrcFile:
        """Return the file at ``path``."""
        return NetrcFile(path=absolute(path))

    def entries(self, grant: Grant) -> Iterator[Entry]:
        """Yield one entry per host of the token's scope.

        Raises:
            BadInput: The server does not accept the token as a password, or programs would parse
                the user name or the password in different ways.
        """
        token, secret = grant.token, grant.secret.reveal()
        if token.way is not AuthScheme.BASIC:
            raise BadInput(
                f"netrc holds only user names and passwords, and the token of "
                f"{token.organization} is sent as {token.way.value!r}.",
                hint="If the server accepts it as a password: conda token install --site "
                f"--org {token.organization} -c URL --send-as basic --username NAME",
            )
        if not (_PLAIN.fullmatch(secret) and _PLAIN.fullmatch(token.username)):
            raise BadInput(
                f"The user name or password of {token.organization} contains a quote, #, \\, a "
                "blank or a letter that is not ASCII. Programs that read netrc parse these in "
                "different ways.",
                hint="Use another target: rattler, pixi, mamba.",
            )
        for host in hosts_of(grant):
            yield Entry(key=host, value=_value(token.username, secret))

    def secret_in(self, value: str) -> Secret | None:
        """Return the password of an entry, or None if it cannot be a token."""
        try:
            return Password(value.partition(" password ")[2])
        except MalformedToken:  # an empty password
            return None

    def notes(self, grant: Grant) -> Iterator[str]:
        """Say that netrc applies to whole hosts."""
        yield (
            f"Programs that read netrc send this to all of {', '.join(hosts_of(grant))}, "
            "on every port and path."
        )


@dataclass(frozen=True, slots=True)
class NetrcSource:
    """The import source: the user's netrc file."""

    name: str = "netrc"

    def offers(self, settings: Settings) -> Iterator[FoundCredential]:
        """Yield one credential per host that serves channels."""
        path, channels = path_of(settings), set(_channels(settings))
        hosts = {urlsplit(url).hostname for url in (*channels, settings.repo_url)}
        hosts |= set(_KNOWN_HOSTS)
        raw = (
            RawCredential(
                source=self.name,
                where=f"{path} {host}",
                urls=_urls(host, channels=channels, settings=settings),
                value=password,
                way=AuthScheme.BASIC,
                username=login,
                plain=Plain(path=path, without=_without(host)),
            )
            for host, (login, password) in NetrcFile(path=path).look().items()
            if host in hosts
        )
        return offered(raw, settings=settings)


def path_of(settings: Settings) -> Path:
    """Return the path that most programs read."""
    named = settings.variables.get("NETRC")
    if named:
        return Path(named)
    usual, other = settings.home / ".netrc", settings.home / "_netrc"
    return other if other.exists() and not usual.exists() else usual


def _urls(host: str, *, channels: set[str], settings: Settings) -> tuple[str, ...]:
    """Return the configured channels on ``host``, or the whole host if there is none."""
    named = sorted(url for url in channels if urlsplit(url).hostname == host)
    return tuple(named) or (url_of(host, settings),)


def _channels(settings: Settings) -> Iterator[str]:
    for path in condarcs.files(settings):
        for text in condarcs.texts(condarcs.parsed(foreign_files.read_any(path) or b"")):
            if text.startswith(("https://", "http://")) and "*" not in text and _is_url(text):
                yield text


def _is_url(text: str) -> bool:
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:  # `https://[` is not a URL
        return False


def _without(host: str) -> Callable[[bytes], bytes]:
    return lambda data: without_machine(data.decode(), host).encode()


def _value(login: str, password: str) -> str:
    return f"login {login} password {password}"


def _block(host: str, value: str) -> bytes:
    login, _, password = value.removeprefix("login ").partition(" password ")
    return f"machine {host}\n  login {login}\n  password {password}\n".encode()

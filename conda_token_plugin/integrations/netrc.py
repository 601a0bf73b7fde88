"""netrc: user name and password for each host, read by curl, pip, conda, rattler, mamba and others.

The format can express only Basic authentication, and names a host without port and path. So it is a
target only for tokens that a server accepts as a password (``AuthScheme.BASIC``).

The file is the one that ``NETRC`` names (requests, pip, rattler; curl since 8.16), otherwise
``~/.netrc``, or ``~/_netrc`` if only that exists. An exported entry is written to the beginning,
because readers use the first match and ignore everything after ``default``. Words are parsed as by
Python's ``netrc`` (3.11 and later), which neither reports the position of an entry nor writes one.

The import source yields only the logins of hosts that serve channels, because a netrc also contains
logins for other services. These are hosts in the channel URLs of configuration files, the
repository's host, and conda.anaconda.org.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.integrations.formats.credential_file import TextFile
from conda_token_plugin.integrations.rattler import hosts_of
from conda_token_plugin.integrations.source import PlainTextCopy, RawCredential, url_of
from conda_token_plugin.integrations.target import Entry, Target, secret_or_none
from conda_token_plugin.tokens.token import AuthScheme
from conda_token_plugin.tokens.url_credentials import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.integrations.target import Grant, Place
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret

_PLAIN = re.compile(r"(?:(?![\"'#\\])[!-~])+")
"""Words that all readers parse in the same way. They differ on quotes, comments, escapes and
encodings: curl sends the bytes of the file, requests encodes the password as Latin-1."""
_KNOWN_HOSTS = ("conda.anaconda.org",)
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(?:[^ \t\r\n\\]|\\.)+', re.DOTALL)
_REST_OF_LINE = re.compile(r"[^\n]*")
_MACRO = re.compile(r"[^\n]*\n(?:[^\r\n]+\r?\n?)*")
"""A macro runs from its name to an empty line."""
_FIELDS = {"login": "login", "user": "login", "account": "account", "password": "password"}
"""Each word before a value, and the field that it sets."""


@dataclass(slots=True)
class _Machine:
    """The entry of ``host``, from ``start`` to ``end`` of the text."""

    host: str
    start: int
    end: int
    fields: dict[str, str] = field(default_factory=dict, repr=False)

    def entry(self) -> Entry:
        login, password = map(self.fields.get, ("login", "password"))
        return Entry(key=self.host, value=value_of(login, password))


@dataclass(frozen=True, slots=True)
class NetrcText:
    """The file format. The value of an entry is the JSON list ``[login, password]``."""

    empty: str = ""

    def entries(self, text: str) -> tuple[Entry, ...]:
        """Return the entries of all machines. The first of a host counts, as for most readers.

        Raises:
            ValueError: The text is not that of a netrc file.
        """
        return tuple(one.entry() for one in _machines(text))

    def put(self, text: str, entry: Entry) -> str:
        """Replace the machine's entry. It is written first, before ``default``."""
        login, password = json.loads(entry.value)
        block = f"machine {entry.key}\n  login {login}\n  password {password}\n"
        return block + self.drop(text, entry.key)

    def drop(self, text: str, key: str) -> str:
        """Remove the first entry of the machine; what else is on its lines is kept."""
        found = next((one for one in _machines(text) if one.host == key), None)
        return text if found is None else _cut(text, found)

    def without(self, text: str, entry: Entry) -> str:
        """Remove every entry that is equal to ``entry``."""
        for one in reversed(_machines(text)):  # so that the positions of the others stay valid
            text = _cut(text, one) if one.entry() == entry else text
        return text


class Netrc(Target):
    """The export target: every program that reads netrc."""

    name = "netrc"

    def place(self, settings: Settings, *, keyring: bool) -> Place:  # noqa: ARG002  # the signature of Target
        """Return the user's netrc file."""
        return self.place_at(path_of(settings))

    def place_at(self, path: Path) -> Place:
        """Return the file at ``path``."""
        return TextFile(path=absolute(path), format=FORMAT)

    def entries(self, grant: Grant) -> Iterator[Entry]:
        """Yield one entry per host of the token's scope.

        Raises:
            BadInput: The server does not accept the token as a password, or programs would parse
                the user name or the password in different ways.
        """
        token, secret = grant.token, grant.secret.reveal()
        if token.scheme is not AuthScheme.BASIC:
            raise BadInput(
                f"netrc can store only user names and passwords, and the token of "
                f"{token.organization} is sent as {token.scheme.value!r}.",
                hint="If the server accepts it as a password: conda token install --site "
                f"--org {token.organization} -c URL --send-as basic --username NAME",
            )
        if not (_PLAIN.fullmatch(secret) and _PLAIN.fullmatch(token.username)):
            raise BadInput(
                f"The user name or password of {token.organization} contains a quote, #, \\, a "
                "space or a letter that is not ASCII. Programs that read netrc parse these in "
                "different ways.",
                hint="Use another target: rattler, pixi, mamba.",
            )
        for host in hosts_of(grant):
            yield Entry(key=host, value=value_of(token.username, secret))

    def secret_in(self, value: str) -> Secret | None:
        """Return the password of an entry, or None if it cannot be a token."""
        return secret_or_none(json.loads(value)[1], scheme=AuthScheme.BASIC.value)

    def notes(self, grant: Grant) -> Iterator[str]:
        """Say that netrc applies to whole hosts."""
        yield (
            f"Programs that read netrc send this to all of {', '.join(hosts_of(grant))}, "
            "on every port and path."
        )


def read(settings: Settings) -> Iterator[RawCredential]:
    """Yield the credentials of hosts that serve channels. The import source."""
    path, channels = path_of(settings), set(_channels(settings))
    hosts = {urlsplit(url).hostname for url in (*channels, settings.repo_url)}
    for entry in TextFile(path=path, format=FORMAT).look():
        if entry.key in {*hosts, *_KNOWN_HOSTS}:
            login, password = json.loads(entry.value)
            yield RawCredential(
                where=f"{path} {entry.key}",
                urls=_urls(entry.key, channels=channels, settings=settings),
                value=password,
                scheme=AuthScheme.BASIC,
                username=login,
                plain=PlainTextCopy(path=path, without=partial(_without, entry=entry)),
            )


def _without(data: bytes, *, entry: Entry) -> bytes:
    return FORMAT.without(data.decode(), entry).encode()


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


def value_of(login: str | None, password: str | None) -> str:
    """Return the value of an entry."""
    return json.dumps([login or "", password or ""])


def _cut(text: str, one: _Machine) -> str:
    before, after = text[: one.start], text[one.end :]
    line_start = before.rstrip(" \t")
    if line_start and not line_start.endswith("\n"):
        return before + after
    return line_start + after.lstrip(" \t\r").removeprefix("\n")


def _machines(text: str) -> list[_Machine]:
    """Return all entries; the one for all other hosts has an empty name."""
    found: list[_Machine] = []
    last: _Machine | None = None
    for key, value, start, end in _pairs(text):
        if key in _FIELDS:
            if last is None:
                raise ValueError(f"line {line_of(text, start)}")
            last.fields[_FIELDS[key]], last.end = value, end
        else:
            last = None if key == "macdef" else _Machine(value, start, end)
            if last is not None:
                found.append(last)
    return found


def _pairs(text: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield each keyword with its value, and where the two begin and end."""
    at = 0
    while word := _WORD.search(text, at):
        key, start, at = _plain(word), word.start(), word.end()
        if key.startswith("#"):
            at = _end(_REST_OF_LINE, text, start)
            continue
        value = _WORD.search(text, at) if key in (*_FIELDS, "machine", "macdef") else None
        if value is None and key != "default":
            raise ValueError(f"line {line_of(text, start)}")
        at = value.end() if value else at
        yield key, _plain(value) if value else "", start, at
        if key == "macdef":
            at = _end(_MACRO, text, at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _plain(word: re.Match[str]) -> str:
    quoted = word[1]
    return re.sub(r"\\(.)", r"\1", word[0] if quoted is None else quoted, flags=re.DOTALL)


FORMAT = NetrcText()

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

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.errors.input import BadInput
from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.gateways.foreign_files import absolute
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.integrations.formats.credential_file import TextFile
from conda_token_plugin.integrations.formats.netrc_text import NetrcText, value_of
from conda_token_plugin.integrations.rattler import hosts_of
from conda_token_plugin.integrations.source import RawCredential, plain_copy, url_of
from conda_token_plugin.integrations.target import Entry, Target, secret_or_none
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conda_token_plugin.integrations.target import Grant, Place
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret

_PLAIN = re.compile(r"(?:(?![\"'#\\])[!-~])+")
"""Words that all readers parse in the same way. They differ on quotes, comments, escapes and
encodings: curl sends the bytes of the file, requests encodes the password as Latin-1."""
_KNOWN_HOSTS = ("conda.anaconda.org",)


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
            yield Entry(key=host, value=value_of(token.username, secret))

    def secret_in(self, value: str) -> Secret | None:
        """Return the password of an entry, or None if it cannot be a token."""
        return secret_or_none(json.loads(value)[1], way=AuthScheme.BASIC.value)

    def notes(self, grant: Grant) -> Iterator[str]:
        """Say that netrc applies to whole hosts."""
        yield (
            f"Programs that read netrc send this to all of {', '.join(hosts_of(grant))}, "
            "on every port and path."
        )


def read(settings: Settings) -> Iterator[RawCredential]:
    """Yield one credential per host that serves channels. The import source."""
    path, channels = path_of(settings), set(_channels(settings))
    hosts = {urlsplit(url).hostname for url in (*channels, settings.repo_url)}
    for entry in TextFile(path=path, format=FORMAT).look():
        if entry.key in {*hosts, *_KNOWN_HOSTS}:
            login, password = json.loads(entry.value)
            yield RawCredential(
                where=f"{path} {entry.key}",
                urls=_urls(entry.key, channels=channels, settings=settings),
                value=password,
                way=AuthScheme.BASIC,
                username=login,
                plain=plain_copy(path, entry.key, format_=FORMAT),
            )


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


FORMAT = NetrcText()

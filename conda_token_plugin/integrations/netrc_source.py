"""netrc as a source: the logins of hosts that conda gets channels from, and no others.

A netrc holds the keys to much else: a host counts if a configuration file names a channel there,
or if the repository or anaconda.org is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conda_token_plugin.gateways import foreign_files
from conda_token_plugin.integrations.conda import condarcs
from conda_token_plugin.integrations.formats.netrc_text import without_machine
from conda_token_plugin.integrations.netrc import NetrcFile, path_of
from conda_token_plugin.integrations.source import Plain, RawCredential, offered, url_of
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conda_token_plugin.integrations.source import FoundCredential
    from conda_token_plugin.settings import Settings

KNOWN = ("conda.anaconda.org",)


@dataclass(frozen=True, slots=True)
class NetrcSource:
    """The user's netrc."""

    name: str = "netrc"

    def offers(self, settings: Settings) -> Iterator[FoundCredential]:
        """One a host of channels."""
        path, hosts = path_of(settings), _hosts(settings)
        sightings = (
            RawCredential(
                source=self.name,
                where=f"{path} {host}",
                urls=tuple(_urls(host, settings)),
                value=password,
                way=AuthScheme.BASIC,
                username=login,
                plain=Plain(path=path, without=_without(host)),
            )
            for host, (login, password) in NetrcFile(path=path).look().items()
            if host in hosts
        )
        return offered(sightings, settings=settings)


def _hosts(settings: Settings) -> set[str]:
    return {
        urlsplit(url).hostname or "" for url in (*_channels(settings), settings.repo_url)
    } | set(KNOWN)


def _urls(host: str, settings: Settings) -> list[str]:
    """The channels of ``host``; where none is named, all of the host."""
    named = [url for url in _channels(settings) if urlsplit(url).hostname == host]
    return named or [url_of(host, settings)]


def _channels(settings: Settings) -> Iterator[str]:
    for path in condarcs.files(settings):
        for text in condarcs.texts(condarcs.parsed(foreign_files.glance(path) or b"")):
            if text.startswith(("https://", "http://")) and "*" not in text:
                yield text


def _without(host: str) -> Callable[[bytes], bytes]:
    return lambda data: without_machine(data.decode(), host).encode()

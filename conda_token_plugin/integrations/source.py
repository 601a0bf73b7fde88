"""Tokens that other tools hold, on offer to be taken into the store."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from conda_token_plugin.errors.input import MalformedToken, MalformedURL
from conda_token_plugin.tokens.scope import longest_prefix, normalised, organization_of
from conda_token_plugin.tokens.secret import Secret
from conda_token_plugin.tokens.token import AuthScheme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from conda_token_plugin.integrations.formats.credential_file import Format
    from conda_token_plugin.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A copy in a file in plain text, and how the file is without it."""

    path: Path
    without: Callable[[bytes], bytes | None]
    """From the file's bytes to those without the copy; None: the file goes.

    Raises ValueError, with what finishes the sentence "PATH …", where that cannot be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCredential:
    """One token that is there, with everything that its source knows of it."""

    sources: tuple[str, ...]
    where: tuple[str, ...]
    """Paths with lines, keyrings' entries: for people."""
    scope: tuple[str, ...]
    secret: Secret
    way: AuthScheme
    username: str = ""
    organization: str = ""
    """Empty where the source does not say, and the scope neither."""
    plain: tuple[Plain, ...] = ()


class Source(Protocol):
    """Somewhere tokens may be."""

    @property
    def name(self) -> str:
        """What the user types."""

    def offers(self, settings: Settings) -> Iterator[FoundCredential]:
        """What is there. Changes nothing.

        Raises:
            ConfigurationError, KeyringUnusable: it cannot be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCredential:
    """A credential as a source holds it; nobody has looked yet whether it can be a token."""

    source: str
    where: str
    urls: tuple[str, ...]
    value: str = field(repr=False)
    way: AuthScheme
    username: str = ""
    organization: str = ""
    plain: Plain | None = None


def offered(sightings: Iterable[RawCredential], *, settings: Settings) -> Iterator[FoundCredential]:
    """The offers of ``sightings``, but for those that are no token or may be sent nowhere."""
    for one in sightings:
        secret, scope = _secret(one.value), tuple(dict.fromkeys(_prefixes(one.urls)))
        if secret is not None and scope:
            yield _offer(one, secret=secret, scope=scope, settings=settings)


def _offer(
    one: RawCredential, *, secret: Secret, scope: tuple[str, ...], settings: Settings
) -> FoundCredential:
    """What goes into the path elsewhere is taken by the repository in the header, too."""
    owners = (
        one.organization,
        *(organization_of(prefix, repository=settings.repo_url) for prefix in scope),
    )
    ours = all(in_repository(prefix, settings) for prefix in scope)
    return FoundCredential(
        sources=(one.source,),
        where=(one.where,),
        scope=scope,
        secret=secret,
        way=AuthScheme.TOKEN if ours and one.way is AuthScheme.PATH else one.way,
        username=one.username,
        organization=next(filter(None, owners), ""),
        plain=(one.plain,) if one.plain else (),
    )


def text(entry: Mapping[str, Any], name: str) -> str:
    """The text under ``name`` of what somebody else wrote; "" where there is none."""
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def json_copy(path: Path, key: str, *, format_: Format) -> Plain:
    """The copy under ``key`` of a file of that format."""
    return Plain(path=path, without=lambda data: format_.drop(data.decode(), key).encode())


def merged(offers: Iterable[FoundCredential]) -> tuple[FoundCredential, ...]:
    """Each token once, with all the places where it was found."""
    found: list[FoundCredential] = []
    for one in offers:
        for number, known in enumerate(found):
            if _is_same(known, one):
                found[number] = _joined(known, one)
                break
        else:
            found.append(one)
    return tuple(found)


def in_repository(prefix: str, settings: Settings) -> bool:
    """Whether ``prefix`` is the repository or a part of it."""
    return longest_prefix(prefix, among={settings.repo_url.rstrip("/")}) is not None


def url_of(key: str, settings: Settings) -> str:
    """The URL that a client means by ``host[:port][/path]``; of the repository's host, that."""
    repository = urlsplit(settings.repo_url)
    host, _, path = key.partition("/")
    if host not in {repository.netloc, repository.hostname}:
        return f"https://{key}"
    return f"{repository.scheme}://{repository.netloc}/{path}" if path else settings.repo_url


def _prefixes(urls: Iterable[str]) -> Iterator[str]:
    return filter(None, map(_prefix, urls))


def _prefix(url: str) -> str:
    try:
        return normalised(url)
    except MalformedURL:  # not encrypted, or no URL: no token may be sent there
        return ""


def _secret(value: str) -> Secret | None:
    try:
        return Secret(value)
    except MalformedToken:  # a password with blanks, an empty file
        return None


def _is_same(one: FoundCredential, other: FoundCredential) -> bool:
    alike = (one.way, one.username) == (other.way, other.username)
    owners = {one.organization, other.organization} - {""}
    return alike and len(owners) < 2 and one.secret == other.secret  # noqa: PLR2004  # "two owners"


def _joined(one: FoundCredential, other: FoundCredential) -> FoundCredential:
    return replace(
        one,
        sources=tuple(dict.fromkeys((*one.sources, *other.sources))),
        where=tuple(dict.fromkeys((*one.where, *other.where))),
        scope=tuple(dict.fromkeys((*one.scope, *other.scope))),
        organization=one.organization or other.organization,
        plain=(*one.plain, *other.plain),
    )

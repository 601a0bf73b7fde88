"""The interface of import sources: tools that store tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from conda_token_plugin.errors.input import ConfigurationError, MalformedURL
from conda_token_plugin.errors.store import KeyringUnusable
from conda_token_plugin.integrations.target import secret_or_none
from conda_token_plugin.tokens.repository_layout import organization_of
from conda_token_plugin.tokens.scope import longest_prefix, normalised
from conda_token_plugin.tokens.token import AuthScheme, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from conda_token_plugin.integrations.formats.credential_file import Format
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainTextCopy:
    """A plain-text copy of a secret in a file.

    Attributes:
        path: The file.
        without: Returns the content of the file without the copy, or None if the file is to be
            deleted. It raises ValueError if the copy cannot be removed safely; the message
            completes the sentence "PATH …".
    """

    path: Path
    without: Callable[[bytes], bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCredential:
    """One credential that was found, with everything that its source knows about it.

    Attributes:
        token: The metadata. The organization is empty if neither the source nor the scope names it.
        sources: The names of the sources that have it.
        where: Paths with lines, or keyring entries, to be shown to the user.
        plain: The plain-text copies.
    """

    token: Token
    secret: Secret
    sources: tuple[str, ...]
    where: tuple[str, ...]
    plain: tuple[PlainTextCopy, ...]

    def overlaps(self, scope: Sequence[str]) -> bool:
        """Return whether there is a URL that both this credential and ``scope`` cover."""
        own = self.token.scope
        return any(longest_prefix(f"{one}/", among=scope) for one in own) or any(
            longest_prefix(f"{one}/", among=own) for one in scope
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCredential:
    """A credential as a source stores it, before it is known whether it can be a token."""

    where: str
    urls: tuple[str, ...]
    value: str = field(repr=False)
    scheme: AuthScheme
    username: str = ""
    organization: str = ""
    path_before: str = ""
    """The path before the token in its URL: ``/api`` in ``https://host/api/t/TOKEN/main``."""
    plain: PlainTextCopy | None = None


class Source(NamedTuple):
    """A tool, or a kind of file, that tokens can be imported from."""

    name: str
    """What the user types."""
    read: Callable[[Settings], Iterable[RawCredential]]
    """Yields the credentials in the source, and changes nothing."""

    def offers(self, settings: Settings) -> Iterator[FoundCredential]:
        """Yield the credentials that can be tokens and have at least one URL to be sent to.

        Raises:
            BadInput: A variable is damaged.
            ConfigurationError: A file cannot be read.
            KeyringUnusable: The system keyring does not answer.
        """
        for one in self.read(settings):
            secret = secret_or_none(one.value, scheme=one.scheme.value)
            scope = tuple(dict.fromkeys(filter(None, map(_prefix, one.urls))))
            if secret is not None and scope:
                yield _found(one, source=self.name, secret=secret, scope=scope, settings=settings)


def collected(
    sources: Iterable[Source],
    *,
    settings: Settings,
    fault: Callable[[str], None],
    strict: bool,
) -> tuple[FoundCredential, ...]:
    """Return the credentials of the sources, each one once.

    ``fault`` is called with one line for each source that could not be read; with ``strict``,
    an unreadable file is an error.

    Raises:
        ConfigurationError: A file cannot be read, and ``strict`` is set.
    """
    return _merged(
        offer
        for one in sources
        for offer in _of(one, settings=settings, fault=fault, strict=strict)
    )


def json_object(data: bytes | str) -> dict[str, Any] | None:
    """Return the JSON object that untrusted data contains, or None if it is anything else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):  # no JSON, or thousands of brackets
        return None
    return found if isinstance(found, dict) else None


def text(entry: Mapping[str, Any], name: str) -> str:
    """Return the text under ``name`` in untrusted data, or "" if there is no text."""
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def plain_copy(path: Path, key: str, *, format_: Format) -> PlainTextCopy:
    """Return the plain-text copy under ``key`` of a file in the given format."""
    return PlainTextCopy(path=path, without=lambda data: format_.drop(data.decode(), key).encode())


def in_repository(prefix: str, settings: Settings) -> bool:
    """Return whether ``prefix`` is the repository or a part of it."""
    return longest_prefix(prefix, among={settings.repo_url.rstrip("/")}) is not None


def url_of(key: str, settings: Settings) -> str:
    """Return the URL for a tool's key ``host[:port][/path]``.

    A key that is only the repository's host stands for the repository.
    """
    repository = urlsplit(settings.repo_url)
    host, _, path = key.partition("/")
    if host not in {repository.netloc, repository.hostname}:
        return f"https://{key}"
    return f"{repository.scheme}://{repository.netloc}/{path}" if path else settings.repo_url


def _merged(found: Iterable[FoundCredential]) -> tuple[FoundCredential, ...]:
    """Return each credential once, with all the places where it was found."""
    unique: list[FoundCredential] = []
    for one in found:
        for number, known in enumerate(unique):
            if _is_same(known, one):
                unique[number] = _joined(known, one)
                break
        else:
            unique.append(one)
    return tuple(unique)


def _of(
    source: Source, *, settings: Settings, fault: Callable[[str], None], strict: bool
) -> Iterator[FoundCredential]:
    try:
        yield from source.offers(settings)
    except KeyringUnusable as error:  # no keyring here; the files were searched before it
        fault(error.what)
    except ConfigurationError as error:  # damaged, or written by a later version of the tool
        if strict:
            raise
        fault(str(error))


def _found(
    one: RawCredential, *, source: str, secret: Secret, scope: tuple[str, ...], settings: Settings
) -> FoundCredential:
    """Return the credential with its owner, and with the scheme that its server accepts."""
    owners = (
        one.organization,
        *(organization_of(prefix, repository=settings.repo_url) for prefix in scope),
    )
    ours = all(in_repository(prefix, settings) for prefix in scope)
    token = Token(
        organization=next(filter(None, owners), ""),
        kind=TokenKind.UNKNOWN,
        scope=scope,
        # The repository also accepts in a header what other tools send in the path.
        scheme=AuthScheme.TOKEN if ours and one.scheme is AuthScheme.PATH else one.scheme,
        username=one.username,
        path_before="" if ours else one.path_before,
        last_four=secret.last_four,
    )
    plain = (one.plain,) if one.plain else ()
    return FoundCredential(
        token=token, secret=secret, sources=(source,), where=(one.where,), plain=plain
    )


def _prefix(url: str) -> str:
    try:
        return normalised(url)
    except MalformedURL:  # not encrypted or not a URL: a token must not be sent there
        return ""


def _is_same(one: FoundCredential, other: FoundCredential) -> bool:
    owners = {one.token.organization, other.token.organization} - {""}
    first, second = (found.token._replace(organization="", scope=()) for found in (one, other))
    return first == second and len(owners) < 2 and one.secret == other.secret  # noqa: PLR2004  # "two owners"


def _joined(one: FoundCredential, other: FoundCredential) -> FoundCredential:
    return replace(
        one,
        token=one.token._replace(
            organization=one.token.organization or other.token.organization,
            scope=tuple(dict.fromkeys((*one.token.scope, *other.token.scope))),
        ),
        sources=tuple(dict.fromkeys((*one.sources, *other.sources))),
        where=tuple(dict.fromkeys((*one.where, *other.where))),
        plain=(*one.plain, *other.plain),
    )
